package backoff

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// Config holds the settings of a [Strategy]. Start from [Defaults] and change
// what should differ: except for the nil fields, zero means zero.
type Config struct {
	// Check says what is worth a retry. Nil means DefaultCheck.
	Check Check
	// Policy makes the wait where the server named none. Nil means that of
	// Defaults: 0.45 to 0.75 s, which bridges a blip, then 2.2 to 2.5, 4 to 4.3 and
	// 8.35 to 8.65 s, so that the fourth retry comes after 15 to 16.2 s, which
	// bridges a restart. Each wait after these is from 15 to 30 s.
	Policy Policy
	// Retries is the most attempts after the first; 0 means no retry. Defaults
	// sets 4, as most clients do: where one attempt in five fails, one request in
	// 3000 still does after that, and more retries add load when the server can
	// least bear it.
	Retries int
	// MaxElapsed is the most time from the start of the first attempt to the start
	// of a retry; 0 means no limit. It never interrupts an attempt. Defaults
	// sets 45 minutes: room for two waits as long as Exhausted lets pass, and for
	// the attempts themselves.
	MaxElapsed time.Duration
	// MaxServerWait is the longest wait asked for by a server that counts as passing;
	// a longer one means that the quota of an hour or a day is used up, for
	// which no request should sleep. 0 means that every wait counts as
	// passing. Defaults sets 20 minutes: the longest short window in common use
	// is 15 minutes and the next one an hour, so that a whole window of the
	// former passes, with room for rounding.
	MaxServerWait time.Duration
	// Read tells what a response says: the wait that it asks for, whether it asks
	// for one, and whether it is a refusal for want of quota. Only CheckRetry and
	// Backoff use it, as go-retryablehttp passes nothing but the response; Next
	// is told by the Attempt. Nil means that only the status is looked at.
	Read func(*http.Response) (wait time.Duration, known, refused bool)
}

// Strategy decides about retries: whether, and after which wait. It holds no
// state of any one request; one Strategy serves all of them and is safe for
// concurrent use. Make it with [NewStrategy].
type Strategy struct {
	config  Config
	retries atomic.Uint64
	stopped [reasons]atomic.Uint64
}

// NewStrategy returns the strategy with these settings. A negative number is an
// error that matches [ErrInvalid].
func NewStrategy(c Config) (*Strategy, error) {
	switch {
	case c.Retries < 0:
		return nil, invalid("NewStrategy: Retries must not be negative, got %d", c.Retries)
	case c.MaxElapsed < 0:
		return nil, invalid("NewStrategy: Elapsed must not be negative, got %v", c.MaxElapsed)
	case c.MaxServerWait < 0:
		return nil, invalid("NewStrategy: Exhausted must not be negative, got %v", c.MaxServerWait)
	}
	if c.Check == nil {
		c.Check = DefaultCheck
	}
	if c.Policy == nil {
		c.Policy = defaultPolicy{}
	}
	return &Strategy{config: c}, nil
}

// Next decides about a retry after a failed attempt. It returns the time to wait
// before the retry, or a [*StopError] that says why there is none. It does not
// wait itself.
//
// The wait is the server's, never shortened (see [ServerWait]), where it named
// one, and else the policy's. A server that names a wait of zero gets the
// policy's too: zero is what remains of a fraction of a second once it is
// rounded down, and a retry at once would be refused again. The server's wait counts
// where it says when requests are admitted again: on a refusal, and on a response that
// says that the server is overloaded or away (503, 529). On other responses, such as
// a 500, it is a guess about a fault, and the policy's wait is used.
//
// The budget is that of the request's key; nil means no bound. A retry is taken
// from it only when everything else allows the retry. A refused request takes
// nothing: it cost the server no work, and what paces its retry is the
// server's own time.
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
	return max(0, s.config.Policy.Delay(a.Number, a.Previous))
}

// tooLong returns which limit the wait would break, or 0.
func (s *Strategy) tooLong(now time.Time, a Attempt, wait time.Duration) Reason {
	// A subtraction, because the sum could overflow.
	if s.config.MaxElapsed > 0 && wait > s.config.MaxElapsed-max(a.Elapsed, 0) {
		return StopElapsed
	}
	if deadline, ok := a.context().Deadline(); ok && wait >= deadline.Sub(now) {
		return StopDeadline
	}
	return 0
}

// Exhausted reports whether a server that asks for this wait has run out of a
// quota that only hours or days bring back, so that the caller should be told
// when instead of being kept waiting. The threshold is Config.Exhausted.
func (s *Strategy) Exhausted(wait time.Duration) bool {
	return s.config.MaxServerWait > 0 && wait > s.config.MaxServerWait
}

// Stats counts the decisions of a [Strategy] since it was made.
type Stats struct {
	// Retries is how many retries were granted.
	Retries uint64
	// Stopped is how many were not, by reason. Reasons that never occurred are
	// left out.
	Stopped map[Reason]uint64
}

// Stats returns the counts. Decisions made by CheckRetry are not among them.
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
