package refusals

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// paced returns the limits of a server that was found to admit ten requests a second, and
// admitted some since it opened.
func paced() *limits {
	l := &limits{pace: inferredRate{rate: 10, period: paceLatest, sure: true}}
	for i := range clock.Instant(100) {
		l.log.Add((i+1)*clock.Second/10, 1)
	}
	return l
}

func TestFewRefusalsAtAKnownPaceAreNoCongestion(t *testing.T) {
	for name, c := range map[string]struct {
		change func(l *limits)
		wait   clock.Instant
		want   bool
	}{
		"a known pace":               {want: true},
		"a wait of a second":         {wait: clock.Second, want: true},
		"a wait of two seconds":      {wait: 2 * clock.Second},
		"the pace was just learned":  {change: func(l *limits) { l.pace.sure = false }},
		"a window is known":          {change: func(l *limits) { l.span.limit = 600 }},
		"one request in ten seconds": {change: func(l *limits) { l.pace.rate = .1 }},
		"the server has just opened": {change: func(l *limits) { l.opened = 9 * clock.Second }},
		"the server is closed":       {change: func(l *limits) { l.event.under = true }},
		"the limit is doubted":       {change: func(l *limits) { l.doubt.raised = true }},
	} {
		l := paced()
		if c.change != nil {
			c.change(l)
		}
		assert.Equal(t, c.want, l.pass(&Request{Cost: 1, At: 10 * clock.Second}, c.wait, .01), name)
	}
	assert.False(t, (*limits)(nil).pass(new(Request), 0, 0))
}

// Many refusals at once say that the limit changed.
func TestManyRefusalsTogetherAreACongestion(t *testing.T) {
	l := paced()
	for range int(passMost) {
		require.True(t, l.pass(&Request{Cost: 1, At: 10 * clock.Second}, 0, .01))
	}
	assert.False(t, l.pass(&Request{Cost: 1, At: 10 * clock.Second}, 0, .01))

	l = paced()
	for range 10 {
		require.True(t, l.pass(&Request{Cost: 1, At: 10 * clock.Second}, 0, .01), "most are served")
		l.passes.served(20)
	}
}

// The pace settles where a small share is refused, from below and from above the limit; of a
// server that refuses a share of all, it does not fall far.
func TestPaceWithFewRefusals(t *testing.T) {
	const limit = 10.
	for _, from := range []float64{8, 10, 10.3} {
		l := paced()
		l.pace.rate = from
		refused, sent, excess := 0, 0, 0.
		for i := range 40_000 {
			l.pace.proven++
			l.log.Add(10*clock.Second, 1)
			excess += max(0, 1-limit/l.pace.now())
			half := i >= 20_000
			if half {
				sent++
			}
			if excess < 1 {
				l.passes.served(1)
				continue
			}
			excess--
			require.True(t, l.pass(&Request{Cost: 1, At: 10 * clock.Second}, 0, .01))
			if half {
				refused++
			}
		}
		assert.InDelta(t, passShare, float64(refused)/float64(sent), passShare/3, "from %v", from)
		assert.InDelta(t, limit, l.pace.now(), .02*limit, "from %v", from)
	}
	l := paced()
	for l.pass(&Request{Cost: 1, At: 10 * clock.Second}, 0, .01) {
		l.pace.proven += 30
		l.passes.served(30)
	}
	assert.InDelta(t, passFloor*10, l.pace.now(), .1)
}

// At a pace that is about right, a limit refuses a request in a hundred. A server that refuses more of them sheds load,
// or has another limit.
func TestMoreRefusalsThanALimitHasRaiseADoubt(t *testing.T) {
	for every, most := range map[int64]int{10: passMany, 24: passMany, 30: 0} {
		l := paced()
		doubted := 0
		for i := 1; i <= 2*passMany && doubted == 0; i++ {
			l.passes.served(every - 1)
			l.pace.proven += every - 1
			l.pass(&Request{Cost: 1, At: 10 * clock.Second}, 0, .01)
			if l.doubt.raised {
				doubted = i
			}
		}
		assert.Equal(t, most, doubted, "one in %d", every)
	}
	o := outcomes{served: 100, refused: passMany}
	assert.True(t, o.often(0))
	assert.False(t, o.often(1), "the limit was there the last time")
}
