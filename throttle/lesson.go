package throttle

import (
	"fmt"
	"math"
	"time"
)

// A Lesson is what refusals taught of the limits of an API that announces none. It
// is a plain value, to be kept while the program does not run. The zero value
// says that nothing is known.
type Lesson struct {
	// Limit is how many requests are admitted in each Length. Zero: no such window
	// is known.
	Limit  int           `json:"limit,omitempty"`
	Length time.Duration `json:"length,omitempty"`
	// Opens is a moment at which such a window opened, and Fixed says that others do
	// whole Lengths before and after. Where it is zero, or Fixed false, the window may
	// roll.
	Opens time.Time `json:"opens,omitzero"`
	Fixed bool      `json:"fixed,omitempty"`
	// Spent is how many of them were sent, the last one at Last.
	Spent int       `json:"spent,omitempty"`
	Last  time.Time `json:"last,omitzero"`
	// Rate is how many requests a second are admitted. Zero: no such rate is known.
	Rate float64 `json:"rate,omitempty"`
}

// Lesson returns what refusals taught until now.
func (k *Limiter) Lesson(now time.Time) Lesson {
	l := k.estimator
	if l == nil || !l.known() {
		return Lesson{}
	}
	var out Lesson
	if s := &l.span; s.limit > 0 {
		out.Limit, out.Length = int(s.limit), time.Duration(s.length)
		out.Opens, out.Fixed = k.clock.origin.Add(time.Duration(s.opens.latest)), s.fixed
		if spent := l.log.after(s.since(k, k.instant(now))); spent > 0 {
			out.Spent, out.Last = int(spent), k.clock.origin.Add(time.Duration(k.lastSent))
		}
	}
	if l.pace.rate > 0 {
		out.Rate = l.pace.now()
	}
	return out
}

// Restore gives a throttle what another one, of the same key, was taught before. It
// is meant for a new throttle, at its beginning; nothing that it learns itself is
// lost by it. It returns an error if the lesson is impossible.
func (k *Limiter) Restore(now time.Time, was Lesson) error {
	if err := was.check(); err != nil {
		return err
	}
	if was.Limit == 0 && was.Rate == 0 || k.estimator != nil && k.estimator.known() {
		return nil
	}
	l := k.teach()
	if was.Limit > 0 {
		l.span = inferredWindow{limit: int64(was.Limit), length: instant(was.Length), rolled: true, sure: true, patient: climbFirst}
		opens := k.instant(was.Opens)
		l.span.opens, l.span.fixed = interval{opens - min(l.span.length/8, 2*second), opens}, was.Fixed && !was.Opens.IsZero()
		l.span.climb = k.instant(now) + climbFirst*l.span.length
		last := min(k.instant(was.Last), k.instant(now))
		if was.Spent > 0 && l.log.size == 0 && last > -l.span.length {
			l.log.add(last, int64(was.Spent))
		}
	}
	if was.Rate > 0 {
		l.pace = inferredRate{rate: was.Rate, period: max(paceLatest, 60*was.Rate), next: k.instant(now)}
	}
	return nil
}

// The bounds of what a lesson may say.
const (
	lessonLimit  = 1 << 40
	lessonLength = 366 * 24 * time.Hour
	lessonRate   = 1e9
)

func (l *Lesson) check() error {
	switch {
	case l.Limit < 0 || l.Limit > lessonLimit || l.Spent < 0 || l.Spent > lessonLimit:
		return fmt.Errorf("throttle: lesson: %d requests of %d are impossible", l.Spent, l.Limit)
	case l.Length < 0 || l.Length > lessonLength || l.Limit > 0 && l.Length == 0:
		return fmt.Errorf("throttle: lesson: a length of %v is impossible", l.Length)
	case math.IsNaN(l.Rate) || l.Rate < 0 || l.Rate > lessonRate:
		return fmt.Errorf("throttle: lesson: a rate of %v a second is impossible", l.Rate)
	}
	return nil
}
