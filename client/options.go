package client

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// An Option changes what [New], [Wrap] and [NewTransport] make. Of two that set the
// same thing, the last counts.
type Option func(*settings) error

// settings are what the options fill in.
type settings struct {
	policy  throttle.Policy
	retry   backoff.Config
	maxWait time.Duration
	key     KeyFunc
	names   func(*http.Request) string
	line    []queue.Option
	checks  bool // the caller judges responses too
	buffer  int64

	elapsed        time.Duration // negative is the default
	attemptTimeout time.Duration
	newBudget      func() *backoff.Budget
	newBreaker     func(key string) backoff.Breaker

	fleet     Fleet
	dialects  []header.Dialect
	memory    Memory
	observers []func(Event)
}

// DefaultMaxWait is the longest that a request waits for a limit when nothing else
// was said. The longest short window in common use is 15 minutes, the next one an
// hour: so a whole window of the former is waited for, while a program that has
// used up an hour or a day is told so, and until when.
const DefaultMaxWait = 20 * time.Minute

func defaults() settings {
	s := settings{
		policy: throttle.DefaultPolicy(), retry: backoff.Defaults(), maxWait: DefaultMaxWait,
		elapsed: -1, newBudget: func() *backoff.Budget { return nil },
	}
	s.setBackoff(s.retry.Policy)
	return s
}

// setBackoff sets the one policy that says how long to wait where the server does not,
// after failures and after refusals.
func (s *settings) setBackoff(p backoff.Policy) {
	s.retry.Policy = p
	s.policy.Backoff = func(n int) time.Duration { return p.Delay(n, 0) }
}

// WithThreshold sets how much of a limit is left when requests begin to be paced;
// what is left is then spread evenly until the reset. The default is
// [throttle.DefaultThreshold], a tenth. It applies to each limit by itself.
func WithThreshold(left throttle.Amount) Option {
	return func(s *settings) error { s.policy.Threshold, s.policy.MaxPacing = left, 0; return nil }
}

// WithReserve sets how much of each limit is never spent, for others who share the
// quota. The default is nothing.
func WithReserve(kept throttle.Amount) Option {
	return func(s *settings) error { s.policy.Reserve = kept; return nil }
}

// A Pacing says how requests are spread over a window.
type Pacing int

// The ways to spread requests.
const (
	// Late lets requests flow until the threshold and then spreads what is left.
	// It is the default.
	Late Pacing = iota
	// Even spreads requests over the whole window.
	Even
	// Burst never spreads: requests flow until nothing is left, and then all wait.
	Burst
)

// WithPacing sets how requests are spread over a window. Even and Burst take the
// place of [WithThreshold]; Late sets the default threshold again.
func WithPacing(p Pacing) Option {
	return func(s *settings) error {
		switch p {
		case Late:
			s.policy.Threshold, s.policy.MaxPacing = throttle.DefaultThreshold, throttle.DefaultMaxPacing
		case Even:
			s.policy.Threshold, s.policy.MaxPacing = throttle.Everything, 0
		case Burst:
			s.policy.Threshold = throttle.Amount{}
		default:
			return fmt.Errorf("client: WithPacing: unknown pacing %d", p)
		}
		return nil
	}
}

// WithRetries sets how often a request is sent again at the most; 0 is never. The
// default is 4. [NoRetry] does the same for one request.
func WithRetries(n int) Option {
	return func(s *settings) error {
		if n < 0 {
			return fmt.Errorf("client: WithRetries: the number must not be negative, got %d", n)
		}
		s.retry.Retries = n
		return nil
	}
}

// WithBackoff sets how long to wait where the server did not say: before a retry after a
// failure, and after a refusal, with all others that obey the same limits. Refusals in a row
// count there, whichever requests they are of. The default is that of [backoff.Defaults]:
// about 0.6, 2.35, 4.15 and 8.5 seconds, each with a random part, so that an outage of 15
// seconds is survived, and then 15 to 30 seconds each.
func WithBackoff(p backoff.Policy) Option {
	return func(s *settings) error {
		if p == nil {
			return errors.New("client: WithBackoff got no policy")
		}
		s.setBackoff(p)
		return nil
	}
}

// WithCheck sets what is worth a retry. The default is [backoff.DefaultCheck]; put
// [backoff.FirstOf] around it to overrule only parts. The check is asked about every
// answer, the good ones too.
func WithCheck(c backoff.Check) Option {
	return func(s *settings) error {
		if c == nil {
			return errors.New("client: WithCheck got no check")
		}
		s.retry.Check, s.checks = c, true
		return nil
	}
}

// WithMaxWait sets the longest that a request waits for its limits; one that would
// have to wait longer fails at once with an [Error] that says until when, or if it was
// sent and refused for longer, gets the refusal. The
// default is [DefaultMaxWait]. 0 means as long as it takes. The deadline of a
// request's context, or the timeout of its client, bounds the wait as well.
func WithMaxWait(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("client: WithMaxWait: the wait must not be negative, got %v", d)
		}
		s.maxWait = d
		return nil
	}
}

// WithKeyFunc sets who spends which quota. By default requests share their limits when
// they go to the same host with the same credentials. Credentials are found by name, in any
// spelling: fields of the header whose name ends with key, token, secret, password,
// credential, auth or authorization (Authorization, X-Api-Key, DD-APPLICATION-KEY,
// X-Vault-Token), but not those known to mean something else, such as Idempotency-Key,
// X-Cache-Key or X-Csrf-Token; the user of the URL; and parameters of the query that say
// which key or token they are (api_key, accessToken, client_secret). Other
// parameters that are called a key, a token or auth, the ids of applications and clients,
// and those of sessions, in fields and cookies, count where there is no such credential.
//
// Of an Authorization that signs the request, and so is another one each time, counts who
// signs: the access key, consumer key and token, user name, or id.
//
// With a KeyFunc the hosts do not matter, so that hosts can share a quota; [PerHost] keeps
// them apart. [AuthorizationKey] looks at nothing but the host and Authorization. [WithKey]
// does the same as a KeyFunc for one request.
func WithKeyFunc(f KeyFunc) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("client: WithKeyFunc got no function")
		}
		s.key = f
		return nil
	}
}

// WithQueue passes options on to the queue in which requests wait: limits that no
// header tells, bounds on requests under way or waiting, shares of the priorities.
// See package queue. queue.WithMaxWait is an error here: [WithMaxWait] takes its place.
func WithQueue(opts ...queue.Option) Option {
	return func(s *settings) error { s.line = append(s.line, opts...); return nil }
}

// WithDialects adds what no grammar can see in the responses of some APIs, such as
// milliseconds that no name tells of. The package header has a table of its own; what
// is added here goes before it.
func WithDialects(dialects ...header.Dialect) Option {
	return func(s *settings) error { s.dialects = append(s.dialects, dialects...); return nil }
}
