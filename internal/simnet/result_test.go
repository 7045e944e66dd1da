package simnet

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/apiserver"
)

func TestWaitIsAPercentile(t *testing.T) {
	var r Result
	require.Zero(t, r.Wait(.5))
	require.Zero(t, r.RefusedShare())
	require.Zero(t, r.UsedShare())
	var a, b tally
	for i := range 50 {
		a.answered(200, time.Duration(100-i)*time.Second) // 100 down to 51
		b.answered(429, time.Duration(50-i)*time.Second)  // 50 down to 1
	}
	r.Answers = map[int]int{}
	r.add(&a)
	r.add(&b)
	r.finish()
	for p, want := range map[float64]time.Duration{-1: 1, 0: 1, .01: 1, .011: 2, .5: 50, .99: 99, 1: 100, 2: 100} {
		require.Equal(t, want*time.Second, r.Wait(p), p)
	}
	require.Equal(t, map[int]int{200: 50, 429: 50}, r.Answers)
}

func TestFirstErrorIsThatOfTheFirstCaller(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	var a, b, c tally
	b.failed(one)
	b.failed(two)
	c.failed(two)
	var r Result
	r.add(&a)
	r.add(&b)
	r.add(&c)
	require.Equal(t, 3, r.Errors)
	require.Same(t, one, r.First)
}

func TestResultInALine(t *testing.T) {
	r := Result{
		Counts:   apiserver.Counts{Requests: 220, Admitted: 199, Refused: 20, Faults: 1},
		Keys:     map[string]KeyResult{"key": {Counts: apiserver.Counts{Admitted: 199}}},
		Possible: 200,
		waits:    []time.Duration{1500 * time.Microsecond, time.Second},
	}
	require.Equal(t, "refused 9.09 % of 220, used 99.50 % of 200, errors 0, wait p50 2ms, p99 1s, max 1s", r.String())
}
