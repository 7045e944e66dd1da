package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/simnet"
)

var documented = limits{hour: time.Hour, pace: 2 * time.Second}

func people() []*user {
	return []*user{{name: "ann", requests: 600, accounts: 10}, {name: "bob", requests: 300, accounts: 10}, {name: "cyd", requests: 30, accounts: 10}}
}

// slow is a network as slow as a real one, on which each request is noted first.
func slow(note func(*http.Request)) func(http.Handler) (*http.Client, string, func()) {
	return func(h http.Handler) (*http.Client, string, func()) {
		noted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { note(r); h.ServeHTTP(w, r) })
		return &http.Client{Transport: simnet.New(noted, 1)}, "http://bcb.test", func() {}
	}
}

// With the hours and the seconds of the real API.
func TestDocumentedLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var posts []time.Time
		var out strings.Builder
		users := people()
		require.NoError(t, run(t.Context(), &out, slow(func(r *http.Request) {
			if r.Method == http.MethodPost {
				posts = append(posts, time.Now())
			}
		}), documented, users))
		require.Len(t, posts, 30)
		for i := range posts[1:] {
			require.GreaterOrEqual(t, posts[i+1].Sub(posts[i]), 2*time.Second)
		}
		for _, u := range users {
			sent, refused := row(t, out.String(), u.name)
			require.Equal(t, u.requests, sent)
			require.Zero(t, refused)
		}
		require.InDelta(t, time.Hour, users[0].took, float64(time.Minute), "the second 300 of ann")
		require.Less(t, users[1].took, 2*time.Minute, "bob waits for the pace alone")
		require.Less(t, users[2].took, 2*time.Minute, "cyd waits for the pace alone")
	})
}

// Users who do nothing else open an account in little more than two seconds.
func TestPaceIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		users := []*user{{name: "ann", requests: 50, accounts: 50}, {name: "bob", requests: 50, accounts: 50}}
		require.NoError(t, run(t.Context(), io.Discard, slow(func(*http.Request) {}), documented, users))
		require.InDelta(t, 99*2*time.Second, time.Since(began), float64(99*100*time.Millisecond), "more than the spread of delays is lost")
	})
}

// A creation that is held up on its way for as long as the pace is refused, or is too close to the next.
func TestOnLoopback(t *testing.T) {
	t.Parallel() // it takes two seconds, and hardly any work
	chance.Test(t, onLoopback)
}

func onLoopback(t testing.TB) {
	var out strings.Builder
	// A creation that takes longer than the pace may arrive too close to the next, so that must not be short.
	l := limits{hour: 1900 * time.Millisecond, pace: 150 * time.Millisecond}
	users := []*user{{name: "ann", requests: 600, accounts: 5}, {name: "bob", requests: 20, accounts: 5}}
	require.NoError(t, run(t.Context(), &out, loopback, l, users), "%v", &out)
	t.Log(out.String())
	require.NotRegexp(t, `[^\n[:print:]]`, out.String(), "control characters where there is no terminal")
	for _, u := range users {
		sent, refused := row(t, out.String(), u.name)
		require.Equal(t, u.requests, sent)
		require.Zero(t, refused)
		require.Positive(t, u.took)
	}
	found := regexp.MustCompile(`closest two new accounts were (.*) apart`).FindStringSubmatch(out.String())
	require.NotNil(t, found)
	closest, err := time.ParseDuration(found[1])
	require.NoError(t, err)
	require.GreaterOrEqual(t, closest, l.pace)
}

// row returns the numbers in the row of the table that begins with name.
func row(t testing.TB, text, name string) (sent, refused int) {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` +(\d+) +(\d+) +[\d.]+ s$`).FindStringSubmatch(text)
	require.NotNil(t, found, "no row %s in\n%s", name, text)
	_, err := fmt.Sscan(strings.Join(found[1:], " "), &sent, &refused)
	require.NoError(t, err)
	return sent, refused
}

// If somebody else has spent what is ann's, which nothing but a refusal tells, the date
// in its body says until when.
func TestRetryAfterInBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := []*user{{name: "ann", requests: 10, accounts: 1}, {name: "bob", requests: 10, accounts: 1}}
		var out strings.Builder
		began := time.Now()
		err := run(t.Context(), &out, func(h http.Handler) (*http.Client, string, func()) {
			plain, url, stop := slow(func(*http.Request) {})(h)
			other := &user{name: "ann", requests: 300, accounts: 1}
			require.NoError(t, other.work(t.Context(), plain, url))
			time.Sleep(10 * time.Second) // so that new accounts are possible
			return plain, url, stop
		}, documented, users)
		require.EqualError(t, err, "refused 1 times")
		sent, refused := row(t, out.String(), "ann")
		require.Equal(t, []int{300 + 1 + 10, 1}, []int{sent, refused})
		require.InDelta(t, time.Hour, time.Since(began), float64(5*time.Second))
		require.Less(t, users[1].took, time.Minute, "bob is not held up")
	})
}

func TestWrongStatusIsAnError(t *testing.T) {
	err := run(t.Context(), io.Discard, func(http.Handler) (*http.Client, string, func()) {
		gone := http.NotFoundHandler()
		return loopback(gone)
	}, documented, people()[:1])
	require.EqualError(t, err, "ann: POST /v1/virtual-accounts: 404 Not Found")
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	require.ErrorIs(t, run(ctx, io.Discard, loopback, documented, people()), context.DeadlineExceeded)
	require.Less(t, time.Since(began), time.Minute) // all of it takes longer
}

func TestImpossibleLimits(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), io.Discard, loopback, limits{hour: 0, pace: 1}, nil), "apiserver: ")
	require.ErrorContains(t, run(t.Context(), io.Discard, loopback, limits{hour: time.Hour, pace: 0}, nil), "queue: ")
}
