package refusals

import "math"

// A loneliness tells refusals that concern the refused request alone from those of a limit.
// Requests may differ in what no limiter of a client sees: a tenant or an operation that a header
// or a body names, the node that serves them. Then a request that was refused is refused again
// while others are served. Where a limit is one of all requests it makes no difference: one that
// was refused before is served as likely as any other. So the outcomes of both are compared, of
// requests that were sent after another had been served since the last refusal.
type loneliness struct {
	on          bool  // refusals concern the refused request alone
	mark        int64 // requests up to this number were sent before the last refusal or, once open, before another was served
	open        bool  // a request that was sent after the last refusal was served
	again, anew shares
}

// shares counts requests by what became of them.
type shares struct{ served, refused float64 }

func (s *shares) all() float64 { return s.served + s.refused }

func (s *shares) share() float64 { return s.refused / max(s.all(), 1) }

func (s *shares) add(refused bool) {
	if refused {
		s.refused++
	} else {
		s.served++
	}
}

func (s *shares) halve() { s.served, s.refused = s.served/2, s.refused/2 }

const (
	lonelyLeast = 5   // requests that were refused before tell enough
	lonelyOften = .5  // of which such a part is refused again,
	lonelyTimes = 2   // and so many times as many as of others
	lonelyOdds  = 8   // the logarithm of how much better two shares explain this than one
	lonelyEnds  = 2   // the same when it ends
	lonelyKept  = 128 // requests before the older ones count half
)

// observe takes in what became of a request. sent is how many were sent by now. It reports whether
// refusals are seen now to concern the refused requests alone.
func (l *loneliness) observe(t *Request, refused bool, sent int64) (begins bool) {
	if l.open && t.Number > l.mark {
		of := &l.anew
		if t.Retry {
			of = &l.again
		}
		of.add(refused)
		begins = l.judge()
	}
	switch {
	case refused:
		l.open, l.mark = false, sent
	case !l.open && t.Number > l.mark:
		l.open, l.mark = true, sent
	}
	return begins
}

// judge compares the shares.
func (l *loneliness) judge() (begins bool) {
	odds, was := l.odds(), l.on
	if l.on {
		l.on = odds > lonelyEnds
	} else {
		l.on = l.again.all() >= lonelyLeast && l.again.share() >= lonelyOften && odds >= lonelyOdds
	}
	if l.again.all()+l.anew.all() > lonelyKept {
		l.again.halve()
		l.anew.halve()
	}
	return l.on && !was
}

// odds returns how much better it explains the outcomes that those who were refused before are
// refused more often than others than that they are not, as a logarithm.
func (l *loneliness) odds() float64 {
	if l.again.share() < lonelyTimes*l.anew.share() {
		return 0
	}
	both := shares{l.again.served + l.anew.served, l.again.refused + l.anew.refused}
	return l.again.likelihood() + l.anew.likelihood() - both.likelihood()
}

// likelihood returns that of the outcomes at their own share, as a logarithm.
func (s *shares) likelihood() float64 {
	sum := 0.
	for _, n := range [...]float64{s.served, s.refused} {
		if n > 0 {
			sum += n * math.Log(n/s.all())
		}
	}
	return sum
}
