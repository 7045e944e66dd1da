package ratemodel

import "time"

// SlidingLog is a rolling window that remembers every request: never more than
// the limit in any length of time. A request made at t leaves at t+length. It is
// the strictest limiter there is.
type SlidingLog struct {
	// Name is the window's name. Set it before the first use, as the others.
	Name string
	// Reset says which moment is announced; by default that at which the oldest
	// request leaves.
	Reset ResetRule
	// RefusalsCount makes refused requests spend too, so that a client that keeps
	// asking stays out.
	RefusalsCount bool

	limit  int
	length time.Duration
	base   time.Time       // the moment that the log counts from
	log    []time.Duration // since base, in order
	head   int             // log[:head] has left
}

// NewSlidingLog returns a rolling window of limit requests in any length of
// time. It panics unless both are positive.
func NewSlidingLog(limit int, length time.Duration) *SlidingLog {
	check(limit, length)
	return &SlidingLog{limit: limit, length: length}
}

// SetLimit changes what the window allows, from the next request on. What was
// spent stays spent until it leaves. It panics unless limit is positive.
func (s *SlidingLog) SetLimit(limit int) {
	check(limit, s.length)
	s.limit = limit
}

// Admit implements Model.
func (s *SlidingLog) Admit(now time.Time) bool {
	s.prune(now)
	if len(s.log)-s.head >= s.limit {
		s.Refuse(now)
		return false
	}
	s.note(now)
	return true
}

// Refuse implements Refuser.
func (s *SlidingLog) Refuse(now time.Time) {
	if s.RefusalsCount {
		s.note(now)
	}
}

// Next implements Model.
func (s *SlidingLog) Next(now time.Time) time.Time {
	if len(s.log)-s.head < s.limit {
		return now
	}
	// Room is made when no more than limit-1 requests are left.
	free := s.leaves(len(s.log) - s.limit)
	if free.After(now) {
		return free
	}
	return now
}

// Windows implements Model.
func (s *SlidingLog) Windows(dst []Window, now time.Time) []Window {
	oldest := s.oldest(now)
	w := Window{
		Name: s.Name, Limit: s.limit, Remaining: max(0, s.limit-(len(s.log)-oldest)),
		Reset: now, Length: s.length,
	}
	switch {
	case s.Reset == ResetNone:
		w.Reset = time.Time{}
	case oldest == len(s.log): // nothing is spent
	case s.Reset == ResetFull:
		w.Reset = s.leaves(len(s.log) - 1)
	default:
		w.Reset = s.leaves(oldest)
	}
	return append(dst, w)
}

// leaves returns the moment at which entry i leaves the window.
func (s *SlidingLog) leaves(i int) time.Time { return s.base.Add(s.log[i]).Add(s.length) }

// oldest returns the index of the oldest entry still inside at now, len(s.log)
// if there is none.
func (s *SlidingLog) oldest(now time.Time) int {
	i, since := s.head, now.Sub(s.base)
	for i < len(s.log) && since-s.log[i] >= s.length {
		i++
	}
	return i
}

func (s *SlidingLog) note(now time.Time) {
	if len(s.log) == 0 {
		s.base = now
	}
	s.log = append(s.log, now.Sub(s.base))
}

// prune forgets what has left. It moves the rest down only once the dead part
// is the larger one, so that a request costs O(1) on average.
func (s *SlidingLog) prune(now time.Time) {
	s.head = s.oldest(now)
	if s.head > len(s.log)/2 {
		s.log = s.log[:copy(s.log, s.log[s.head:])]
		s.head = 0
	}
}
