package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// An Option configures the transport that [New], [Wrap] or [NewTransport] creates. If two
// options set the same thing, the last one wins. A nil Option does nothing.
type Option func(*settings) error

// settings are what the options fill in.
type settings struct {
	policy  throttle.Policy
	retry   backoff.Config
	maxWait time.Duration
	ownWait bool // the program set maxWait
	key     KeyFunc
	names   func(*http.Request) string
	queue   []queue.Option
	perKey  bool // the program counts by key, so that keys must stay what they are
	checks  bool // the caller judges responses too
	buffer  int

	elapsed        time.Duration // negative is the default
	attemptTimeout time.Duration
	newBudget      func() *backoff.Budget
	newBreaker     func(key string) backoff.Breaker

	fleet         Fleet // nil for none
	dialects      []header.Dialect
	apis          []*cost.API
	memory        Memory
	usageEndpoint *url.URL // nil for none
	observers     []func(Event)
}

// DefaultMaxWait is the longest that a request waits for its limits by default. It is
// chosen to outlast a window of 15 minutes, the longest of the short windows in common
// use: a request waits for such a window to reset, but when the quota of an hour or a day
// is used up it fails, with an error that says until when; see [WithMaxWait].
const DefaultMaxWait = 20 * time.Minute

func defaults() settings {
	s := settings{
		policy: throttle.DefaultPolicy(), retry: backoff.Defaults(), maxWait: DefaultMaxWait,
		elapsed: -1, buffer: defaultBuffer, newBudget: func() *backoff.Budget { return nil },
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

// WithThreshold sets how much of a limit must be left for requests to flow freely. Below
// the threshold requests are paced: the remainder is spread evenly until the reset. The
// default is a tenth. It applies to each limit separately.
func WithThreshold(left throttle.Amount) Option {
	return func(s *settings) error { s.policy.Threshold, s.policy.MaxPacing = left, 0; return nil }
}

// WithReserve sets how much of each limit the client leaves unspent, for other clients
// that share the quota. The default is nothing.
func WithReserve(kept throttle.Amount) Option {
	return func(s *settings) error { s.policy.Reserve = kept; return nil }
}

// A Pacing is a way to spread requests over a window.
type Pacing int

// The ways to spread requests.
const (
	// Late lets requests flow until the threshold is reached and then spreads what is
	// left. It is the default.
	Late Pacing = iota
	// Even spreads requests over the whole window.
	Even
	// Burst does not spread requests: they flow until nothing is left, and then wait.
	Burst
)

// WithPacing sets how requests are spread over a window. Even and Burst override
// [WithThreshold]; Late restores the default threshold.
func WithPacing(p Pacing) Option {
	return func(s *settings) error {
		switch p {
		case Late:
			p := throttle.DefaultPolicy()
			s.policy.Threshold, s.policy.MaxPacing = p.Threshold, p.MaxPacing
		case Even:
			s.policy.Threshold, s.policy.MaxPacing = throttle.Share(1), 0
		case Burst:
			s.policy.Threshold = throttle.Amount{}
		default:
			return fmt.Errorf("client: WithPacing: unknown pacing %d", p)
		}
		return nil
	}
}

// WithRetries sets the maximum number of retries of a request, not counting its first
// attempt; 0 disables retries. The default is 4. [NoRetry] disables them for one request.
func WithRetries(n int) Option {
	return func(s *settings) error {
		if n < 0 {
			return fmt.Errorf("client: WithRetries: the number must not be negative, got %d", n)
		}
		s.retry.Retries = n
		return nil
	}
}

// WithBackoff sets how long to wait when the server does not say. After a failure, the
// failed request waits before its retry. After a refusal, so do all requests with
// the same limits, and the policy counts consecutive refusals of any of them; from the third
// on, a wait that would miss a full minute of the server's clock ends there, though no
// earlier than the first wait would. The default
// is the policy of [backoff.Defaults]: about 0.6, 2.35, 4.15 and 8.5 seconds, each
// partly random, which survives an outage of 15 seconds, and then 15 to 30 seconds each.
func WithBackoff(p backoff.Policy) Option {
	return func(s *settings) error {
		if p == nil {
			return errors.New("client: WithBackoff got no policy")
		}
		s.setBackoff(p)
		return nil
	}
}

// WithCheck sets the check that decides whether a request is retried. The default is
// [backoff.DefaultCheck]; use [backoff.FirstOf] to override only part of it. The
// client calls the check for every response, successful ones included.
func WithCheck(c backoff.Check) Option {
	return func(s *settings) error {
		if c == nil {
			return errors.New("client: WithCheck got no check")
		}
		s.retry.Check, s.checks = c, true
		return nil
	}
}

// WithMaxWait sets the longest that a request waits for its limits, before its first attempt
// and between attempts in all. By default, each wait that the server itself names is one of
// its own. A request that would have to wait longer fails at once with an [Error] that says until when; if it was
// already sent and refused, its caller gets that refusal instead. 0 means no bound. The
// deadline of the request's context, or the timeout of its client, bounds the wait as well.
//
// The default is [DefaultMaxWait]. By default, and where a deadline bounds the wait, not
// all requests fail at once, or a program that works off a list would lose it while a limit
// is closed: only ten of a key do, and one more every 30 seconds. The others fail when the
// wait is over, unless a limit opens earlier.
func WithMaxWait(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("client: WithMaxWait: the wait must not be negative, got %v", d)
		}
		s.maxWait, s.ownWait = d, true
		return nil
	}
}

// WithKeyFunc sets which requests share a quota. By default, requests share their limits if
// they have the same host and the same credentials. The client finds credentials by name,
// in any spelling: header fields whose name ends with key, token, secret, password,
// credential, auth or authorization (Authorization, X-Api-Key, DD-APPLICATION-KEY,
// X-Vault-Token), except for those known to mean something else, such as Idempotency-Key,
// X-Cache-Key or X-Csrf-Token; the user information of the URL; and query parameters whose
// name says which key or token they hold (api_key, accessToken, client_secret). If a
// request has none of these, other parameters named key, token or auth count, and the ids
// of applications, clients and sessions, in header fields and cookies.
//
// If the Authorization field is a signature, which differs with each request, only the
// signer counts: its access key, consumer key and token, user name, or id.
//
// A KeyFunc disregards hosts, so that several hosts can share a quota; use [PerHost] to
// keep hosts apart. [AuthorizationKey] considers only the host and the Authorization field.
// [WithKey] sets the key of a single request.
func WithKeyFunc(f KeyFunc) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("client: WithKeyFunc got no function")
		}
		s.key = f
		return nil
	}
}

// WithDialects adds API-specific header formats that cannot be recognised from the names
// and values of the fields alone, such as a reset in milliseconds whose name does not say
// so. These dialects take precedence over the built-in table of package header.
func WithDialects(dialects ...header.Dialect) Option {
	return func(s *settings) error { s.dialects = append(s.dialects, dialects...); return nil }
}

// WithRule adds limits that no header tells: per key, per host or for all requests, of all
// routes or of those that match a pattern, and a bound on how many requests are under way.
// It may be given up to 64 times; a request obeys all the rules that match it. The quotas of
// a rule with a name can be changed later; see [Transport.Queue].
func WithRule(r queue.Rule) Option {
	if r.Scope != queue.PerKey {
		return withQueue(queue.WithRule(r))
	}
	return withKeys(queue.WithRule(r))
}

// WithMaxWaiting sets how many requests may wait in the queue, of all keys together, and
// what happens to one more. 0 means that none may wait. The default is 100,000 and
// [queue.RefuseNewest].
func WithMaxWaiting(n int, more queue.Overflow) Option {
	return withQueue(queue.WithMaxWaiting(n, more))
}

// WithMaxWaitingPerKey sets how many requests of one key may wait. One more fails with
// [ErrFull]. By default only [WithMaxWaiting] bounds them.
func WithMaxWaitingPerKey(n int) Option { return withKeys(queue.WithMaxWaitingPerKey(n)) }

// WithMinimumShare sets the share of requests that each lower priority gets while it waits
// behind higher ones, from 0 to 0.2. The default is 0.05: every twentieth request. 0 lets
// the higher priorities take all.
func WithMinimumShare(share float64) Option { return withQueue(queue.WithMinimumShare(share)) }

// WithMaxKeys sets how many keys are remembered when they are not in use. Beyond that the
// least recently used is forgotten, with what was learned of its limits. The default is
// 100,000.
func WithMaxKeys(n int) Option { return withQueue(queue.WithMaxKeys(n)) }

// WithQueue passes other options to the queue in which requests wait, such as that of
// package adaptive, or one that a program composes. queue.WithMaxWait is an error here (use
// [WithMaxWait] instead), and so is queue.WithKeyLimit.
func WithQueue(opts ...queue.Option) Option {
	return func(s *settings) error {
		const unset = 1 // a wait for which no program asks
		ours := false
		trial, err := queue.New(append([]queue.Option{
			queue.WithMaxWait(unset), queue.WithFleet(func(string, queue.Quota, func()) queue.Portion { return nil }),
			queue.WithKeyLimit(func(string) limit.Limiter { ours = true; return nil }),
		}, opts...)...)
		if err != nil {
			return err
		}
		defer trial.Close()
		if trial.MaxWait() != unset {
			return errors.New("client: WithQueue got queue.WithMaxWait, which bounds the wait in the queue alone; use client.WithMaxWait")
		}
		if trial.Update("", nil); !ours {
			return errors.New("client: WithQueue got queue.WithKeyLimit, but the limit of a key is what is learned; use a rule")
		}
		return withKeys(opts...)(s)
	}
}

// withQueue passes an option on to the queue, which says what is wrong with it.
func withQueue(opts ...queue.Option) Option {
	return func(s *settings) error { s.queue = append(s.queue, opts...); return nil }
}

// withKeys is withQueue for options that may count by key.
func withKeys(opts ...queue.Option) Option {
	return func(s *settings) error { s.perKey = true; return withQueue(opts...)(s) }
}

// WithLine is the old name of [WithQueue].
//
// Deprecated: use [WithRule], [WithMaxWaiting] and the like.
func WithLine(opts ...queue.Option) Option { return WithQueue(opts...) }

// Line is the old name of [Transport.Queue].
//
// Deprecated: use [Transport.Queue].
func (t *Transport) Line() *queue.Queue { return t.Queue() }
