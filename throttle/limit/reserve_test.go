package limit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chat may cost up to 300 tokens, and costs 20.
var chat = Demand{Metered: true, Estimate: Estimate{Bytes: 300, Most: map[string]float64{"tokens": 200}}}

// goes takes as many requests as may go, at most so many.
func goes(l Limiter, now time.Time, d Demand, most int) (n int) {
	for n < most && admits(l, now, d) {
		l.Take(now, d)
		n++
	}
	return n
}

func end(l Limiter, now time.Time, n int, used map[string]float64) {
	for range n {
		l.Done(now, now, chat)
		l.Settle(now, chat, used)
	}
}

// Until one was answered, as many go as there is enough for at the most that they may cost; then as
// many as there is enough for at what they do cost.
func TestTheMostThatARequestMayCostIsHeldUntilOneIsAnswered(t *testing.T) {
	l, now := tokensOf(t, Per(1000, time.Minute)), time.Unix(1_700_000_000, 0)
	require.Equal(t, 3, goes(l, now, chat, 50))
	end(l, now, 3, map[string]float64{"tokens": 20})
	assert.Equal(t, 30, goes(l, now, chat, 30), "few of them cost that much")
	end(l, now, 30, map[string]float64{"tokens": 20})
	assert.Equal(t, 340, remaining(l, now))
}

// A server that takes the most that requests may cost until they are answered proves it by a
// refusal. It is held from then on, and what was not used comes back with the response.
func TestARefusalProvesThatTheMostIsReserved(t *testing.T) {
	l, now := tokensOf(t, Per(1000, time.Minute)), time.Unix(1_700_000_000, 0)
	require.Equal(t, 3, goes(l, now, chat, 50))
	end(l, now, 3, map[string]float64{"tokens": 20})
	require.Equal(t, 6, goes(l, now, chat, 6))
	end(l, now, 3, map[string]float64{}) // the server refused those
	end(l, now, 3, map[string]float64{"tokens": 20})
	now = now.Add(2 * time.Minute)
	for range 5 {
		n := goes(l, now, chat, 50)
		assert.Equal(t, 3, n)
		end(l, now, n, map[string]float64{"tokens": 2})
	}
	for range 200 { // none of these is refused
		now = now.Add(time.Second)
		end(l, now, goes(l, now, chat, 1), map[string]float64{"tokens": 2})
	}
	n := goes(l, now, chat, 50)
	assert.Equal(t, 50, n, "it is tried without once more")
	end(l, now, n, map[string]float64{})
	now = now.Add(2 * time.Minute)
	assert.Equal(t, 3, goes(l, now, chat, 50), "and was refused")
}

// A refusal where the most was left proves nothing of the kind.
func TestARefusalForAnotherReasonProvesNothing(t *testing.T) {
	l, now := tokensOf(t, Per(10_000, time.Minute)), time.Unix(1_700_000_000, 0)
	end(l, now, goes(l, now, chat, 1), map[string]float64{"tokens": 20})
	require.Equal(t, 6, goes(l, now, chat, 6))
	end(l, now, 6, map[string]float64{})
	assert.Equal(t, 100, goes(l, now, chat, 100))
}
