package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
)

// small is a plan that takes two seconds: each client uses up the rest of a window,
// of 200 ms, and most of the next.
var small = plan{items: 40, callers: 10, limits: limits{
	burst: 20, sustained: 60, period: 2 * time.Second, into: 800 * time.Millisecond,
}}

// A refusal is possible, if seldom: a wait for so short a window may be tested, and a process that is stopped comes late.
func TestForbearIsNotRefused(t *testing.T) {
	t.Parallel()
	chance.Test(t, isNotRefused)
}

func isNotRefused(t testing.TB) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, small), "%v", &out)
	text := out.String()
	t.Log(text)
	require.NotRegexp(t, `[^\n[:print:]]`, text, "control characters where there is no terminal")

	plain, forbear := row(t, text, "go-retryablehttp"), row(t, text, "forbear")
	require.Equal(t, []float64{40, 0}, forbear[:2], "sent, refused")
	require.Greater(t, plain[1], 0., "the limit is not felt")
	require.Equal(t, 40+plain[1], plain[0], "sent")
	for _, r := range [][]float64{plain, forbear} {
		require.Positive(t, r[2], "share of the quota")
		require.LessOrEqual(t, r[2], 100., "share of the quota")
	}
}

// row returns the numbers in the row of the table that begins with name.
func row(t testing.TB, text, name string) []float64 {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` +(\d+) +(\d+) +([\d.]+) % +[\d.]+ s$`).FindStringSubmatch(text)
	require.NotNil(t, found, "no row %s in\n%s", name, text)
	numbers := make([]float64, 3)
	for i := range numbers {
		var err error
		numbers[i], err = strconv.ParseFloat(found[i+1], 64)
		require.NoError(t, err)
	}
	return numbers
}

func TestRefusalIsAnError(t *testing.T) {
	t.Parallel() // it takes a second, and hardly any work
	var out strings.Builder
	p := small
	p.items, p.limits.into = p.limits.burst+1, 0 // one more than the first second has
	err := compare(t.Context(), &out, p, contender{"stubborn", newRetryable()})
	sent := row(t, out.String(), "stubborn")
	require.EqualError(t, err, fmt.Sprintf("stubborn was refused %.0f times", sent[1]))
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	var out strings.Builder
	p := small
	p.items = 1e6
	require.ErrorIs(t, run(ctx, &out, p), context.DeadlineExceeded)
	require.Less(t, time.Since(began), time.Minute) // all of it takes longer
	require.NotContains(t, out.String(), "quota used", "a table of half a run")
}
