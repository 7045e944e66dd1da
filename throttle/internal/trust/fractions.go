package trust

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// Fractions notices that resets are told more exactly than some of them look: formatters leave out the zeros at
// the end, so that "1s" or "12" among "998ms" or "11.25" is exact to the millisecond.
type Fractions struct {
	long, short time.Duration // the finest steps of moments and delays of a second or more, and of shorter ones
	coarsest    time.Duration // the longest that was believed since
}

// Correct takes in the reset that a response tells, and returns it in the step in which it is told. by is how
// much finer that is than was believed before; 0 if that is not news.
func (f *Fractions) Correct(r header.Reset) (corrected header.Reset, by clock.Instant) {
	if !r.Known() || r.Resolution > time.Second {
		return r, 0
	}
	finest := &f.long
	if r.At.IsZero() && r.In < time.Second {
		finest = &f.short // some formatters round what is longer to whole seconds
	}
	news := false
	if told := r.Resolution; told < time.Second && (*finest == 0 || told < *finest) {
		*finest, news = told, true
	}
	r.Resolution = min(r.Resolution, f.step(r))
	f.coarsest = max(f.coarsest, r.Resolution)
	if news {
		by = clock.Instant(f.coarsest - r.Resolution)
		f.coarsest = r.Resolution
	}
	return r, by
}

// step returns the step in which such a reset is told, as far as others showed.
func (f *Fractions) step(r header.Reset) time.Duration {
	step := time.Second
	if f.long > 0 {
		step = f.long
	}
	if f.short > 0 && r.At.IsZero() && r.In <= time.Second {
		step = min(step, f.short)
	}
	return step
}
