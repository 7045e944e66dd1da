package backoff

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"
)

// Config holds the settings of a [Strategy]. Start from [Defaults] and change
// what should differ: a zero number means zero, not the default.
type Config struct {
	// Check decides what is worth a retry. Nil means DefaultCheck.
	Check Check
	// Policy decides how long to wait if the server does not say. Nil means the
	// policy of Defaults: 0.45 to 0.75 s, which bridges a brief failure, then 2.2 to
	// 2.5, 4 to 4.3 and 8.35 to 8.65 s, so that the fourth retry comes after 15 to
	// 16.2 s, which bridges a restart. Each later wait is from 15 to 30 s.
	Policy Policy
	// Retries is the maximum number of attempts after the first; 0 means no
	// retries. Defaults sets 4, as most clients do: if one attempt in five fails,
	// one request in 3000 then still does, and more retries add load when the server
	// can least bear it.
	Retries int
	// MaxElapsed is the longest time from the start of the first attempt to the
	// start of a retry; 0 means no bound. It never interrupts an attempt. Defaults
	// sets 45 minutes: room for two waits of MaxServerWait and for the attempts
	// themselves.
	MaxElapsed time.Duration
	// MaxServerWait is the longest wait that the server may ask for; a request that
	// is asked to wait longer is not retried. Such a wait means that the quota of
	// an hour or a day is used up. 0 means no bound. Defaults sets 20 minutes: the
	// longest of the short windows in common use is 15 minutes and the next one an
	// hour, so that a request waits for a whole window of the former, with room for
	// rounding.
	MaxServerWait time.Duration
	// Read returns the wait that a response asks for, whether it asks for one, and
	// whether it is a refusal because of a limit. Only CheckRetry and Backoff use
	// it, because go-retryablehttp passes only the response; Next gets these from
	// the Attempt. If Read is nil, CheckRetry and Backoff consider only the status.
	Read func(*http.Response) (wait time.Duration, known, refused bool)
}

// A Strategy decides whether to retry, and how long to wait before. It holds no
// state of a single request; one Strategy serves all requests and is safe for
// concurrent use. Create it with [NewStrategy].
type Strategy struct {
	config  Config
	retries atomic.Uint64
	stopped [reasons]atomic.Uint64
}

// NewStrategy returns a strategy with the given settings. If a number is negative, it
// returns an error that matches [ErrInvalid].
func NewStrategy(c Config) (*Strategy, error) {
	switch {
	case c.Retries < 0:
		return nil, invalid("NewStrategy: Retries must not be negative, got %d", c.Retries)
	case c.MaxElapsed < 0:
		return nil, invalid("NewStrategy: MaxElapsed must not be negative, got %v", c.MaxElapsed)
	case c.MaxServerWait < 0:
		return nil, invalid("NewStrategy: MaxServerWait must not be negative, got %v", c.MaxServerWait)
	}
	if c.Check == nil {
		c.Check = DefaultCheck
	}
	if c.Policy == nil {
		c.Policy = defaultPolicy{}
	}
	return &Strategy{config: c}, nil
}

// Next decides whether to retry after a failed attempt. It returns how long to wait
// before the retry, or a [*StopError] if there should be none. It does not wait
// itself.
//
// If the server asked for a wait, the result is at least that wait (see
// [ServerWait]); otherwise the policy decides. If the server asked for a wait of
// zero on a refusal, the first retry comes after 20 to 30 ms at most, the second after 300 to
// 450 ms, the third after 1 to 1.5 s, and the policy decides about the others: a server that
// rounds a fraction of a second down to zero would refuse immediate retries.
// The server's wait counts where it says when requests are admitted again: on a
// refusal, and on a response that says that the server is overloaded or away (503,
// 529). On other responses, such as a 500, it is a guess about a fault, and the
// policy's wait is used.
//
// b is the budget of the request's key; nil means no bound. Next takes a retry
// from b only if everything else allows the retry. The retry of a refused request
// takes nothing from b: the refusal cost the server no work, and the server itself
// sets the time of the retry.
func (s *Strategy) Next(now time.Time, a Attempt, b *Budget) (time.Duration, error) {
	wait, stop := s.next(now, a, b)
	if stop != nil {
		s.stopped[stop.Reason].Add(1)
		return 0, stop
	}
	s.retries.Add(1)
	return wait, nil
}

func (s *Strategy) next(now time.Time, a Attempt, b *Budget) (time.Duration, *StopError) {
	a.Number = max(a.Number, 1)
	if err := contextErr(a.context(), now); err != nil {
		return 0, stop(now, a, StopContext, err)
	}
	if reason := s.judge(a); reason != 0 {
		return 0, stop(now, a, reason, nil)
	}
	if a.Number > s.config.Retries {
		return 0, stop(now, a, StopRetries, nil)
	}
	a.WaitKnown = a.WaitKnown && a.heeded()
	if a.WaitKnown && s.Exhausted(a.Wait) {
		return 0, stop(now, a, StopExhausted, nil)
	}
	wait := s.wait(a)
	if reason := s.tooLong(now, a, wait); reason != 0 {
		a.Wait, a.WaitKnown = wait, true
		var err error
		if reason == StopDeadline {
			err = context.DeadlineExceeded
		}
		return 0, stop(now, a, reason, err)
	}
	if !a.refused() && !b.Retry(now) {
		return 0, stop(now, a, StopBudget, nil)
	}
	return wait, nil
}

// judge returns why the attempt must not be retried, or 0.
func (s *Strategy) judge(a Attempt) Reason {
	if a.Replayable() {
		return s.worth(a, 0)
	}
	// The check is asked about the same request without its body, so that the
	// body is blamed only when nothing else is.
	bare := *a.Request
	bare.Body = nil
	a.Request = &bare
	return s.worth(a, StopBody)
}

func (s *Strategy) worth(a Attempt, otherwise Reason) Reason {
	if s.config.Check(a) == Yes {
		return otherwise
	}
	return StopVerdict
}

// wait returns the time before the retry that follows the attempt.
func (s *Strategy) wait(a Attempt) time.Duration {
	if a.WaitKnown && a.Wait > 0 {
		return ServerWait(a.Wait)
	}
	delay := max(0, s.config.Policy.Delay(a.Number, a.Previous))
	if _, ok := s.config.Policy.(defaultPolicy); ok && a.overloaded() && a.Number <= len(overloadedWaits) {
		delay = overloadedWaits[a.Number-1] + rand.N(overloadedSpread)
	}
	if a.WaitKnown && a.Number <= len(promptly) && a.refused() {
		soon := promptly[max(a.Number, 1)-1]
		return min(delay, soon+rand.N(soon/2))
	}
	return delay
}

// all returns about how long all retries take that follow refusals like this one, with a tenth to spare.
func (s *Strategy) all(a Attempt) (sum time.Duration) {
	if a.WaitKnown && a.Wait > 0 {
		return scale(a.Wait, 1.1*float64(s.config.Retries))
	}
	var previous time.Duration
	for n := range s.config.Retries {
		previous = max(0, s.config.Policy.Delay(n+1, previous))
		if previous > math.MaxInt64-sum {
			return math.MaxInt64
		}
		sum += previous
	}
	return scale(sum, 1.1)
}

// promptly is the least that the first retries wait if the server asked for a wait of zero on
// a refusal; the most is half as much again. Zero may be a fraction of a second, rounded down.
var promptly = [...]time.Duration{20 * time.Millisecond, 300 * time.Millisecond, time.Second}

// tooLong returns which limit the wait would break, or 0.
func (s *Strategy) tooLong(now time.Time, a Attempt, wait time.Duration) Reason {
	// Subtract, because the sum could overflow.
	if s.config.MaxElapsed > 0 && wait > s.config.MaxElapsed-max(a.Elapsed, 0) {
		return StopElapsed
	}
	if a.Lasting && wait > s.all(a)-max(a.Elapsed, 0) {
		return StopElapsed
	}
	if deadline, ok := a.context().Deadline(); ok && wait >= deadline.Sub(now) {
		return StopDeadline
	}
	return 0
}

// Exhausted reports whether a wait that the server asked for is longer than
// Config.MaxServerWait. Then a quota of hours or days is used up, and the caller
// should get an error that says until when instead of waiting.
func (s *Strategy) Exhausted(wait time.Duration) bool {
	return s.config.MaxServerWait > 0 && wait > s.config.MaxServerWait
}

// Stats counts the decisions of a [Strategy] since it was created.
type Stats struct {
	// Retries is how many retries were granted.
	Retries uint64
	// Stopped is how many retries were denied, by reason. It omits reasons that
	// never occurred.
	Stopped map[Reason]uint64
}

// Stats returns the counts. They do not include the decisions of CheckRetry.
func (s *Strategy) Stats() Stats {
	stats := Stats{Retries: s.retries.Load(), Stopped: map[Reason]uint64{}}
	for r := range s.stopped {
		if n := s.stopped[r].Load(); n > 0 {
			stats.Stopped[Reason(r)] = n
		}
	}
	return stats
}

func stop(now time.Time, a Attempt, reason Reason, ended error) *StopError {
	e := &StopError{Reason: reason, Attempts: a.Number, Err: a.Err, ended: ended}
	if a.Response != nil {
		e.Status = a.Response.StatusCode
	}
	if a.WaitKnown && a.Wait > 0 {
		e.Wait, e.Until = a.Wait, now.Add(a.Wait)
	}
	return e
}
