package level

import "time"

// Claims finds out whether what responses say that they cost is missing from what remains. Where it is not, what
// they say is worth no more than if they said nothing: it is wrong, or counts what the server does not charge for,
// as what was read from a cache.
type claims struct {
	sum, next account // of the last words, and of fewer
	doubted   bool    // more was told than can have been taken
	taken     float64 // the most that was, in all
	era       int     // of that sum
	pending   float64 // told since the newest word
	first     mark    // of those that told it
}

// An account compares what responses told that they cost with the most that was taken meanwhile, and with
// what may have been given back beside that.
type account struct {
	told, taken, back float64
	words             int
	wrong             bool // more was told
}

// A mark is what is known when a request is sent of what was taken before.
type mark struct {
	sent        time.Duration
	taken, back float64
	era         int
}

// claimsOfWords is how many words an account has at most.
const claimsOfWords = 64

func (a *account) add(told, taken float64) {
	a.told, a.taken, a.words = a.told+told, a.taken+taken, a.words+1
}

// short returns how much more may be told, where a server counts no less than half of it.
func (a *account) short(limit float64) float64 {
	return a.taken + max(0, a.taken) + a.back + limit/8 - a.told
}

// owe notes that a request told that it cost so much.
func (s *claims) owe(cost float64, m mark) {
	if s.pending == 0 || m.sent < s.first.sent {
		s.first = m
	}
	s.pending += cost
}

// observe takes in the most that was taken until a word, and the most that may be given back after it.
func (s *claims) observe(told, taken, back float64) {
	s.taken += taken
	s.sum.add(told, taken)
	s.next.add(told, taken)
	switch {
	case s.sum.words >= claimsOfWords:
		s.doubted = s.next.wrong
		s.sum, s.next = s.next, account{back: back}
	case s.sum.words == claimsOfWords/2 && s.next.words > claimsOfWords/2:
		s.next = account{back: back}
	}
}

// mayCost reports whether requests of which that is the first may have cost so much.
func (s *claims) mayCost(told float64, first mark, limit float64) bool {
	taken := s.taken - first.taken
	return first.era != s.era || told <= taken+max(0, taken)+first.back+limit/16
}

// observeClaims takes in a word, and what responses told that it is the first to count.
func (l *Limiter) observeClaims(t time.Duration, w Window, c counts) {
	missing := w.Limit - w.Remaining
	if !l.told || w.Limit != l.limit {
		all := account{back: missing}
		l.claims = claims{sum: all, next: all, era: l.claims.era + 1}
		return
	}
	s := &l.claims
	if c.claimed > 0 {
		s.owe(c.claimed, c.first)
	}
	told, first := s.pending, s.first
	if s.pending = 0; told == 0 {
		first.sent = t
	}
	taken := l.anew.told + missing // what came back in between is not known
	if opens := !l.refill.bucket && l.reset > 0 && t+2*time.Second >= l.reset; !opens {
		rate, ok := l.mostRefill()
		if !ok {
			l.claims = claims{era: s.era + 1}
			return
		}
		taken = l.mostFilled(rate, t, first.sent) + l.grains.whole() - w.Remaining
		if !l.refill.bucket && l.length > 0 {
			taken += l.spent.mayHaveLeft(l.anew.at-l.trip, t, l.length, l.overcharge())
		}
	}
	s.observe(told, taken, min(missing, l.mayGiveBack()))
	switch {
	case w.Remaining <= 0: // how deep it is in debt is not known
	case told > 0 && !s.mayCost(told, first, l.limit):
		l.disbelieve(first.sent, (s.taken-first.taken)/told)
	case s.sum.short(l.limit) < 0 && s.doubted:
		s.sum.wrong, s.next.wrong = true, true
	case s.sum.short(l.limit) < 0:
		l.disbelieve(0, s.sum.taken/s.sum.told)
	}
}

// disbelieve forgets what was concluded from what responses told, of which the server took that share at most since
// some time.
func (l *Limiter) disbelieve(since time.Duration, share float64) {
	l.claims.doubted, l.claims.sum.wrong, l.claims.next.wrong = true, true, true
	l.used, l.ratios = sample{}, sample{}
	l.spent.scale(since, max(0, min(share, 1)))
}

// mostFilled returns what would remain by some time if nothing was taken since the newest word, and more than all
// where requests were under way meanwhile: what comes back of what they took is not seen.
func (l *Limiter) mostFilled(rate float64, t, since time.Duration) float64 {
	for _, h := range l.holds {
		since = min(since, h.sent)
	}
	idle := max(0, since-l.anew.at).Seconds()
	return min(l.anew.told+rate*idle, max(l.limit, l.anew.told)) + rate*((t-l.anew.at).Seconds()-idle)
}

// mayGiveBack returns the most that may come back of what requests asked for and the newest word counts.
func (l *Limiter) mayGiveBack() (most float64) {
	if l.refunds.back > 0 {
		return l.limit // some of them are over
	}
	for _, h := range l.holds {
		if most += h.admitted; !h.demand.Known && h.demand.Most == 0 {
			return l.limit
		}
	}
	return most
}

// mostRefill returns the most that comes back each second while a window does not open, and what was spent does
// not leave it. It reports whether that is known.
func (l *Limiter) mostRefill() (rate float64, ok bool) {
	switch {
	case l.refill.n > 0:
		return l.refill.high, true
	case l.opens(false):
		return 0, l.reset > 0
	case l.length > 0:
		return l.limit / l.length.Seconds(), true
	}
	return 0, false
}

// mark returns what is known when a request is sent.
func (l *Limiter) mark(t time.Duration) mark {
	return mark{sent: t, taken: l.claims.taken, back: min(l.limit-l.anew.told, l.mayGiveBack()), era: l.claims.era}
}

// claim takes in what a response tells that its request cost, and reports whether that can be.
func (l *Limiter) claim(h *Hold, cost float64) bool {
	h.claimed = cost
	s := &l.claims
	if _, ok := l.mostRefill(); !ok {
		return cost <= 16*max(l.limit, h.admitted)
	}
	if h.headed < 0 && !s.mayCost(cost, h.before, l.limit) { // its response told what remains when it was over
		s.doubted, s.sum.wrong, s.next.wrong = true, true, true
		return false
	}
	return !s.doubted && s.pending+cost <= s.sum.short(l.limit)
}
