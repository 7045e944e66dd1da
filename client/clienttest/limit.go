package clienttest

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A Limit is a rate limit of a [Server]. It counts each credential (X-Connector-Token,
// X-Api-Key, else Authorization) by itself, and all requests. With several limits a
// request is admitted if all admit it, and counted in all of them or in none.
type Limit struct {
	n       int
	per     time.Duration
	kind    string
	name    string
	pattern string
	key     func(*http.Request) string
	cost    func(*http.Request) int
	build   func(name string) ratemodel.Model
	err     error
}

// Fixed is a limit of n requests in each window of the clock: with a minute, from
// each full minute of UTC to the next.
func Fixed(n int, per time.Duration) Limit {
	return newLimit(n, per, "fixed window", func(name string) ratemodel.Model {
		m := ratemodel.NewFixed(n, per)
		m.Name = name
		return m
	})
}

// FromFirst is a limit of n requests in windows of which each begins with the first
// request that finds none open.
func FromFirst(n int, per time.Duration) Limit {
	return newLimit(n, per, "window from the first request", func(name string) ratemodel.Model {
		m := ratemodel.NewFixed(n, per)
		m.Name, m.FromFirst = name, true
		return m
	})
}

// Rolling is a limit of n requests in any span of the length per, the strictest there
// is. The reset that it announces is when the oldest request leaves it.
func Rolling(n int, per time.Duration) Limit {
	return newLimit(n, per, "rolling window", func(name string) ratemodel.Model {
		m := ratemodel.NewSlidingLog(n, per)
		m.Name = name
		return m
	})
}

// SlidingCounter is a rolling window that is estimated from the counts of this window
// of the clock and the last one.
func SlidingCounter(n int, per time.Duration) Limit {
	return newLimit(n, per, "sliding counter", func(name string) ratemodel.Model {
		m := ratemodel.NewSlidingCounter(n, per)
		m.Name = name
		return m
	})
}

// Bucket is a token bucket that holds burst requests, is full at first, and gets n more
// in each period per. The limit that it announces is burst.
func Bucket(burst, n int, per time.Duration) Limit {
	l := newLimit(n, per, fmt.Sprintf("bucket of %d", burst), func(name string) ratemodel.Model {
		m := ratemodel.NewBucket(burst, n, per)
		m.Name = name
		return m
	})
	if burst < 1 && l.err == nil {
		l.err = fmt.Errorf("Bucket(%d, %d, %v): the burst must be at least 1", burst, n, per)
	}
	return l
}

// Concurrent is a limit of n requests that are served at once. It is not announced.
func Concurrent(n int) Limit {
	l := newLimit(n, 1, "at once", func(string) ratemodel.Model { return ratemodel.NewConcurrent(n) })
	l.per = 0
	return l
}

func newLimit(n int, per time.Duration, kind string, build func(string) ratemodel.Model) Limit {
	l := Limit{n: n, per: per, kind: kind, build: build}
	switch {
	case n < 1:
		l.err = fmt.Errorf("a limit (%s) must be at least 1, got %d", kind, n)
	case per <= 0:
		l.err = fmt.Errorf("the period of a limit (%s) must be positive, got %v", kind, per)
	}
	return l
}

// Named returns l with a name, for dialects that show one and for failing tests.
func (l Limit) Named(name string) Limit {
	l.name = name
	return l
}

// On returns l for requests that match a pattern of [http.ServeMux] only, such as
// "POST /accounts" or "/search/".
func (l Limit) On(pattern string) Limit {
	l.pattern = pattern
	return l
}

// By returns l counting by what f tells, not by credential: by route, say, or with a
// constant for everybody together.
func (l Limit) By(f func(*http.Request) string) Limit {
	l.key = f
	return l
}

// Costing returns l counting units, of which a request spends as many as f tells, not
// one. A request that spends more than the limit is always refused.
func (l Limit) Costing(f func(*http.Request) int) Limit {
	l.cost = f
	return l
}

// String describes the limit: "200 in 1m0s, fixed window".
func (l Limit) String() string {
	s := fmt.Sprintf("%d %s", l.n, l.kind)
	if l.per > 0 {
		s = fmt.Sprintf("%d in %v, %s", l.n, l.per, l.kind)
	}
	if l.pattern != "" {
		s += " on " + l.pattern
	}
	if l.name != "" {
		s = fmt.Sprintf("%q (%s)", l.name, s)
	}
	return s
}

func (l Limit) apply(c *config) {
	if l.build == nil {
		l.err = errors.New("the zero Limit is none: use Fixed or another function")
	}
	if l.err == nil && l.pattern != "" {
		l.err = checkPattern(l.pattern)
	}
	if l.err != nil {
		c.errs = append(c.errs, l.err)
		return
	}
	c.limits = append(c.limits, l)
}

// match reports whether the limit is for r.
func (l Limit) match(r *http.Request) bool {
	if l.pattern == "" {
		return true
	}
	mux := http.NewServeMux()
	mux.Handle(l.pattern, http.NotFoundHandler())
	_, matched := mux.Handler(r)
	return matched == l.pattern
}

func checkPattern(pattern string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	http.NewServeMux().Handle(pattern, http.NotFoundHandler())
	return nil
}

// everywhere reports whether the limit holds for every request of a credential, and
// counts it as one: only then is it known how soon they were possible.
func (l Limit) everywhere() bool {
	return l.per > 0 && l.pattern == "" && l.key == nil && l.cost == nil
}
