package refusals

import "github.com/forbear-go/forbear/throttle/internal/clock"

// draw draws the lesson of a congestion that ended when a request was sent at
// opened. It reports whether lessons turn out to be in vain.
func (l *limits) draw(v *View, opened clock.Instant) (vain bool) {
	e := l.event
	l.event = congestion{}
	shut := e.tried - e.at
	if e.told {
		shut = max(shut, e.reset.Earliest-e.at)
	}
	began := max(l.opened, l.was)
	admitted := l.log.Between(began-1, e.closed)
	l.offbeat = l.offbeat || shut > briefly && offbeat(v, &e, opened)
	was, calm := l.pace.now(), l.pace.period >= paceLatest/2 && float64(l.pace.proven) >= paceNear*l.pace.period
	if e.told {
		v.all.sheds.waits.weigh(admitted, float64(v.all.sheds.share))
	}
	switch {
	case e.told && !l.known() && !v.all.sheds.waits.believed():
		l.empty = opened // if it was a limit
	case e.hasty, e.known, !l.known() && e.alone && v.all.sheds.yes > witnessesAdmitted*v.all.sheds.no:
	case admitted == 0: // it was closed before we came, and nothing is known of why
	case l.span.weighsLast(v, l, &e):
		l.span.weigh(&e, opened)
		l.doubt = doubt{patience: l.doubt.patience}
	case l.span.explains(v, l, &e, opened):
		l.span.confirm(v, l, &e, opened)
		if shut > briefly { // otherwise a shorter window may have opened
			l.empty = opened
		}
		if l.span.limit > few {
			l.doubt = doubt{patience: l.doubt.patience}
		}
	case admitted <= few || shut <= briefly:
		if admitted <= few && l.span.limit > few {
			l.span = inferredWindow{}
		}
		if !(was > 0) && (l.few.rare() || shut > briefly && l.absurd(&e, admitted, shut)) {
			break
		}
		l.pace.floor = max(l.served(e.closed), l.usual(&e, long)/absurdly)
		if !(was > 0) {
			// It was served at such a rate once. If it is refused again, that counts less.
			l.before /= 2
			l.pace.floor = max(l.pace.floor, l.before)
		}
		l.learnPace(&e, began, admitted, shut, min(opened-e.at, max(shut, 2*briefly)))
		if !(was > 0) {
			l.paced = opened
		}
		vain = was > 0 && l.doubt.fell(l.pace.now(), admitted, calm)
	default:
		vain = l.measure(v, &e, opened)
	}
	l.was, l.opened, l.shut, l.reset = e.at, opened, true, clock.Interval{}
	if e.told {
		l.reset = e.reset
	}
	l.pace.next, l.pace.idle = max(l.pace.next, opened+l.pace.step()), 0
	if !e.hasty && l.known() && l.against.against(admitted, l.doubt.patience) {
		l.against = evidence{}
		return true
	}
	return vain
}

// usual returns the rate a second at which requests were admitted before a congestion, in so long or the last minutes.
func (l *limits) usual(e *congestion, back clock.Instant) float64 {
	back = max(back, long)
	return float64(l.log.Between(e.closed-back, e.closed)) / (float64(back) / float64(clock.Second))
}

// absurd reports whether so many requests in so long are far below what is usual.
func (l *limits) absurd(e *congestion, admitted int64, took clock.Instant) bool {
	return float64(admitted)*absurdly < l.usual(e, took)*float64(took)/float64(clock.Second)
}

// learnPace learns the pace of a congestion before which so many were admitted from some time on, and which
// closed the server for so long, at least and at most. The time in which nothing waited for the pace says nothing of a rate.
func (l *limits) learnPace(e *congestion, began clock.Instant, admitted int64, least, most clock.Instant) {
	open := max(e.at-began-e.idle, 0)
	m := measurement{admitted: admitted, open: open, least: open + least, most: open + most, dense: e.dense}
	if l.pace.learn(m, e.risen) {
		l.passes = passes{}
	}
}

// served returns the rate a second at which requests were admitted lately, or 0 where
// not enough is known.
func (l *limits) served(now clock.Instant) float64 {
	if l.pace.rate <= 0 || now-l.paced < lately {
		return 0 // a burst that came before says nothing of a rate
	}
	return float64(l.log.Between(now-lately, now)) / float64(lately/clock.Second)
}

// measure learns the span of a congestion that nothing known explains. One that is
// known is given up only for what two of them agree upon.
func (l *limits) measure(v *View, e *congestion, opened clock.Instant) (vain bool) {
	if length := l.span.lengthens(l, e, opened); length > 0 {
		l.span.length, l.span.opens, l.empty = length, clock.Between(e.tried, opened), opened
		l.doubt = doubt{patience: l.doubt.patience}
		return false
	}
	if l.span.limit > few && l.span.proof.given && 4*l.span.logged(v, l, e) < 3*l.span.limit {
		limit, none := l.doubt.below(l.span.logged(v, l, e))
		if !limit {
			l.empty = opened
			return none
		}
	}
	if l.absurd(e, l.log.Between(max(l.opened, l.was)-1, e.closed), opened-max(l.opened, l.was)) {
		return false
	}
	vain = l.span.limit > 0 && l.doubt.strayed(l.log.Between(max(l.opened, l.was)-1, e.closed))
	l.span.learn(v, l, e, opened)
	l.empty = opened
	return vain
}
