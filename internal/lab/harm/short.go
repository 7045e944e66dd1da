package harm

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// spent returns a model of which so many are spent.
func spent(n int, m ratemodel.Model) ratemodel.Model {
	for range n {
		m.Admit(time.Now())
	}
	return m
}

// short is jobs that end long before the limit's window does.
func short() []World {
	limited := func(model func() ratemodel.Model, form apiserver.Form) func(*site) http.Handler {
		return func(s *site) http.Handler { return s.limit(s.ok(), rule(model, form)) }
	}
	hetzner := func(left int) func() ratemodel.Model {
		return func() ratemodel.Model {
			b := ratemodel.NewBucket(3600, 3600, time.Hour)
			b.Reset = ratemodel.ResetFull
			return spent(3600-left, b)
		}
	}
	of := func(left int) func(from, until time.Time) int {
		return func(from, until time.Time) int { return left + int(until.Sub(from)/time.Second) }
	}
	return []World{
		{
			ID: "short-hour", Name: "a job of 20 s, one caller, 500 of 5,000 an hour left",
			API:     limited(func() ratemodel.Model { return spent(4500, ratemodel.NewFixed(5000, time.Hour)) }, apiserver.Epoch),
			Callers: 1, Span: 20 * time.Second, Goal: Goal{Ratio: .9},
		},
		{
			ID: "short-day", Name: "a job of a minute, three callers, 900 of 20,000 a day left",
			API:     limited(func() ratemodel.Model { return spent(19100, ratemodel.NewFixed(20000, 24*time.Hour)) }, apiserver.Delta),
			Callers: 3, Think: 200 * time.Millisecond, Span: time.Minute, Goal: Goal{Ratio: .9},
		},
		{
			ID: "deadline-paced", Name: "one caller who waits for 5 s at most, 30 of 300 an hour left, a job of two minutes",
			API:     limited(func() ratemodel.Model { return spent(270, ratemodel.NewFixed(300, time.Hour)) }, apiserver.Epoch),
			Callers: 1, Think: 5 * time.Second, Timeout: 5 * time.Second, Span: 2 * time.Minute, Goal: Goal{Ratio: .9},
		},
		{
			ID: "deadline-fixed", Name: "300 a minute, callers who wait for 10 s at most",
			API:     limited(fixed(300, time.Minute), apiserver.Epoch),
			Timeout: 10 * time.Second, Possible: greedy(1, fixed(300, time.Minute)), Goal: Goal{Ratio: .95, Used: .95, Refused: .01},
		},
		{
			ID: "bucket-full-again", Name: "a bucket of 3,600 that regains one a second and tells when it is full again, 200 left, five minutes",
			API:     limited(hetzner(200), apiserver.Epoch),
			Callers: 5, Possible: of(200), Goal: Goal{Used: .95, Refused: .01},
		},
		{
			ID: "bucket-empty", Name: "the same, empty at first",
			API:     limited(hetzner(0), apiserver.Epoch),
			Callers: 5, Possible: of(0), Goal: Goal{Used: .9, Refused: .05},
		},
	}
}
