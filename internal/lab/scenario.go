package lab

import (
	"context"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// A Scenario is an API, a network, and what is asked of it.
type Scenario struct {
	// ID is what files call it, Name what readers do.
	ID, Name string
	// Server makes the API.
	Server func() (*apiserver.Server, error)
	// Path is what is asked for; empty means /items.
	Path string
	// Rate and Window are what clients that are told the limit are told. A zero Rate
	// leaves them out, a zero Window is the Rate.
	Rate, Window peer.Rate
	// Span is how long it lasts, from the start of a day on. Zero means ten minutes.
	Span time.Duration
	// Least and Most bound the delay each way. Zeros mean 40 and 80 ms.
	Least, Most time.Duration
	// Keys are who spends; none means one.
	Keys []string
	// Processes is how many clients of each kind share a key; zero means one.
	Processes int
	// Callers is how many send at once in each process for each key, each the next
	// request as soon as the last was answered. Zero means 20.
	Callers int
	// Arrivals, if not nil, takes the place of the callers: the times, from the start
	// on, at which somebody comes with one request.
	Arrivals []time.Duration
	// Silent says that the API tells nothing of its limit before it refuses.
	Silent bool
	// Drawn says that forbear draws lots in it, as after faults and unforeseen refusals,
	// so that its results differ a little from run to run.
	Drawn bool
	// Without names clients that are left out: those that would send millions of
	// requests in it.
	Without []string
}

// into is where in a minute, an hour and a day each run begins. It ends with a
// minute.
const into = 17300 * time.Millisecond

func (s Scenario) defaults() Scenario {
	if s.Path == "" {
		s.Path = "/items"
	}
	if s.Span == 0 {
		s.Span = 10 * time.Minute
	}
	if s.Most == 0 {
		s.Least, s.Most = 40*time.Millisecond, 80*time.Millisecond
	}
	if len(s.Keys) == 0 {
		s.Keys = []string{"key"}
	}
	if s.Processes == 0 {
		s.Processes = 1
	}
	if s.Callers == 0 {
		s.Callers = 20
	}
	if s.Window == (peer.Rate{}) {
		s.Window = s.Rate
	}
	return s
}

// Clients returns those that take part.
func (s Scenario) Clients() []peer.Client {
	var in []peer.Client
next:
	for _, c := range peer.All() {
		if c.Told && s.Rate.Limit == 0 {
			continue
		}
		for _, name := range s.Without {
			if name == c.Name {
				continue next
			}
		}
		in = append(in, c)
	}
	return in
}

// request makes a request of a key.
func (s Scenario) request(ctx context.Context, key string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test"+s.Path, nil)
	if err != nil {
		panic(err) // the paths are constants
	}
	req.Header.Set("X-Connector-Token", key)
	return req
}
