package level

import (
	"math"
	"time"
)

// learn raises the factor: so much was left, and it did not suffice. What is learned of a
// request is measured by the factor that it was sent with: many that were sent before the
// first was refused teach no more than one.
func (l *Limiter) learn(t time.Duration, h *Hold, w *Window) {
	asked, by := h.admitted, h.factor
	enough := h.demand.Prompt > 0 && w != nil && w.Remaining-l.grains.half() >= 2*l.prompt(h.demand)*l.factor
	short := w != nil && !l.refill.bucket && w.Remaining-l.grains.half() < l.minimum(h.demand)
	tried := l.trial.refused(h, enough, short, l.refill.bucket)
	if tried {
		asked, by = l.admission(h.demand), l.factor
	}
	l.settleFactor(t)
	if w != nil && l.refill.bucket && w.Remaining < asked && !tried {
		// In a bucket, what is not spent now is not lost.
		l.margin = min(max(1.5*l.margin, asked-w.Remaining), l.limit/4)
	}
	switch {
	case w == nil || l.learnUntold(t, h, w.Remaining) || asked <= 0:
		return
	case w.Remaining-l.grains.half() >= 0.98*asked:
		left := w.Remaining - l.grains.half()
		if h.sent > l.raised {
			l.step = min(max(2*l.step, 0.03), 0.12)
		}
		by *= max(1+l.step, (left+1)/asked*1.02)
	case h.arriving:
		// Less was left than we thought: what was sent before asked for more.
		if thought := l.before(h); thought > l.limit/8 {
			by *= min(max((l.level(t, false)-w.Remaining)/thought*1.02, 1.03), 1.5)
		}
	}
	if unbounded := h.demand.Most == 0 && h.demand.Prompt > 0; unbounded && by > h.factor {
		// It is not the prompt that costs more, but the response that may be longer.
		if more := asked*(by/h.factor-1) + h.beside; more > l.beside {
			l.beside, l.raised = min(more, l.limit), t
		}
	} else if by > l.factor {
		if h.demand.untold() && l.raised > 0 && !l.guesses() {
			by = min(by, 2*l.factor) // one that asks for much more than others teaches little of them
		}
		most := 16.
		if l.guesses() {
			most = 64 // of a guess
		}
		l.factor, l.raised = min(most, by), t
	}
	l.factorAt = t
}

// before returns what the requests ask for that may have arrived before one.
func (l *Limiter) before(h *Hold) float64 {
	sum := 0.0
	for _, o := range l.holds {
		if o != h && o.arriving && o.sent <= h.sent {
			sum += o.admitted
		}
	}
	return sum
}

// settleFactor has the factor fall: half of what is above 1 in an hour.
func (l *Limiter) settleFactor(t time.Duration) {
	if l.factor > 1 && t > l.factorAt {
		l.factor = 1 + (l.factor-1)*math.Exp2(-(t-l.factorAt).Hours())
	}
	if l.beside > 0 && t > l.factorAt {
		l.beside *= math.Exp2(-(t - l.factorAt).Hours())
	}
	l.factorAt = t
}

// measured takes in, by add, what requests cost. Where that was guessed, what refusals taught is measured by it
// from then on.
func (l *Limiter) measured(add func()) {
	guess, _ := l.asked()
	guessed := l.guesses()
	add()
	if known, _ := l.asked(); guessed && known > guess {
		l.factor = max(1, l.factor*guess/known)
	}
}

// guesses reports whether nothing told yet what requests cost.
func (l *Limiter) guesses() bool { return l.used.n < 4 && !l.falls.tell() }
