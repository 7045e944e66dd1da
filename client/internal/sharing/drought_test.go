package sharing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// However each request is excused, what is refused ahead of the time that refusals name grows with the logarithm of that time.
func TestWhatIsRefusedAheadOfTimeGoesEverMoreRarely(t *testing.T) {
	var d Drought
	now := time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC)
	until := now.Add(10 * time.Hour)
	refused := 0
	for now.Before(until) {
		d.Send(now)
		refused++
		sent := now
		now = now.Add(100 * time.Millisecond)
		d.Refuse(now, sent, until)
		now = latest(now, d.Next())
	}
	assert.Equal(t, until, now, "it ends when the server said")
	assert.Less(t, refused, 90)
}

func TestADroughtEnds(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC)
	dry := func(rounds, together int, ahead time.Duration) *Drought {
		d, now := new(Drought), now
		for range rounds {
			d.Send(now)
			for range together {
				d.Refuse(now.Add(100*time.Millisecond), now, now.Add(ahead))
			}
			now = now.Add(time.Second)
		}
		return d
	}
	assert.False(t, dry(droughtRounds+1, 1, time.Hour).Next().IsZero())
	assert.True(t, dry(droughtRounds, 20, time.Hour).Next().IsZero(), "requests that were under way together are one")
	assert.True(t, dry(20, 1, 4*time.Second).Next().IsZero(), "short waits are none")
	d := dry(20, 1, time.Hour)
	d.Serve()
	assert.True(t, d.Next().IsZero(), "one was served")
	d = dry(20, 1, 20500*time.Millisecond)
	assert.Equal(t, now.Add(20500*time.Millisecond), d.Next(), "the first time that was named")
}
