package harm

import (
	"context"
	"net/http"
	"time"
)

// A World is an API, a network, and what is asked of it.
type World struct {
	// ID is what files call it, Name what readers do.
	ID, Name string
	// API makes the API, which tells the site what becomes of requests.
	API func(*site) http.Handler
	// Request makes the n-th request of a caller. Nil means a GET of /items.
	Request func(ctx context.Context, caller, n int) *http.Request
	// Least and Most bound the delay each way. Zeros mean 40 and 60 ms.
	Least, Most time.Duration
	// Callers is how many send at once in each process, each the next request as soon
	// as the last was answered and it has rested for Think. Zero means 20.
	Callers int
	Think   time.Duration
	// Away returns how long a caller, at a time since the beginning, stays away before its next
	// request. Callers are numbered through all processes. Nil means not at all.
	Away func(caller int, since time.Duration) time.Duration
	// Heedless says that callers do not look at the time that an error carries.
	Heedless bool
	// Timeout is how long a caller waits for an answer, all tries together. Zero means for
	// ever.
	Timeout time.Duration
	// Processes is how many clients of each kind share the API; zero means one.
	Processes int
	// Span is how long it lasts, Skip the part at its beginning that does not count.
	Span, Skip time.Duration
	// Possible returns how many requests could have been served; nil: it is not known.
	Possible func(from, until time.Time) int
	// Goal is what forbear must reach.
	Goal Goal
}

// A Goal is what forbear must reach in a world. A zero Used, Ratio, Jain or Steady asks
// for nothing.
type Goal struct {
	// Ratio is the least of what is served, in parts of what go-retryablehttp is.
	Ratio float64
	// Used is the least of what is served, in parts of what is possible.
	Used float64
	// Refused is the largest share of requests that a limit refuses; those that are shed
	// do not count.
	Refused float64
	// Jain is the least fairness among processes.
	Jain float64
	// Steady is the least of what is served in the last sixth, in parts of the first.
	Steady float64
}

func (w World) defaults() World {
	if w.Request == nil {
		w.Request = get("/items")
	}
	if w.Most == 0 {
		w.Least, w.Most = 40*time.Millisecond, 60*time.Millisecond
	}
	if w.Callers == 0 {
		w.Callers = 20
	}
	if w.Processes == 0 {
		w.Processes = 1
	}
	if w.Span == 0 {
		w.Span = 5 * time.Minute
	}
	return w
}

// Worlds returns all worlds.
func Worlds() []World {
	var all []World
	for _, some := range [][]World{shedding(), broken(), units(), short(), routes(), windows(), beliefs(), concurrency(), odd()} {
		all = append(all, some...)
	}
	return all
}

func get(path string) func(context.Context, int, int) *http.Request {
	return func(ctx context.Context, _, _ int) *http.Request { return request(ctx, path) }
}

func request(ctx context.Context, path string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test"+path, nil)
	if err != nil {
		panic(err) // the paths are well formed
	}
	req.Header.Set("Authorization", "Bearer secret")
	return req
}
