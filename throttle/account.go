package throttle

// An account checks that a window counts the requests that are sent. What remains and what
// was sent by then add up to the same number after each response, but for what was under
// way. If other clients spend the quota, the sum falls. It rises when the window opens, by
// the limit at most.
type account struct {
	known     bool
	low, high int64   // bounds of the sum
	raised    int64   // how many had been sent when it rose the last time
	at        instant // when that was
	opens     instant // when the window opens, as the last response said, if that was to come
	remaining int64   // as the last response said
	most      int64   // the limit, or the most that remained
	fell      int     // how often what remains fell as it must
	falls     bool    // it fell, perhaps as it must
	risen     float64 // the sum, by more than windows regain
}

const (
	accountFalls = 3 // show that a window counts requests
	accountSlack = 8 // requests by which a sum may rise for no reason
	// A fall tells little where more than this part of the limit was under way.
	accountPart = 4
	// accountUnsure is how many times as fast a window may regain of which the length is a guess.
	accountUnsure = 3
)

// counts reports whether the window is seen to count the requests that are sent.
func (a *account) counts() bool { return a.fell >= accountFalls }

// plausible reports whether nothing speaks against it that the window counts.
func (a *account) plausible() bool { return a.falls && a.risen == 0 }

// wrong reports whether the sum rose by more than the limit explains, and by twice as much
// after each time that this turned out to be an error.
func (a *account) wrong(errors int) bool {
	return a.risen > float64((2*a.most+accountSlack)<<min(errors, 16))
}

// observe takes in what remains of w after a request; sent is how many were sent by now.
func (a *account) observe(w *window, r *Reservation, now instant, sent, remaining int64) {
	low, high := r.answered+r.cost+remaining, sent+remaining
	a.most = max(a.most, remaining, w.limit)
	switch {
	case !a.known:
		if w.limit >= low && w.limit <= high {
			a.fell = accountFalls // as of a window that began with our first request
		}
		a.low, a.high = low, high
	case low > a.high:
		a.rise(w, now, low-a.high)
		a.low, a.high, a.at, a.raised = low, high, now, sent
	case high < a.low && r.number <= a.raised:
		return // it was counted before the sum rose
	case high < a.low:
		a.low, a.high = low, high
	default:
		a.low, a.high = max(a.low, low), min(a.high, high)
		a.falls = a.falls || remaining < a.remaining
		if remaining < a.remaining && high-low <= max(a.most/accountPart, 1) {
			a.fell++
		}
	}
	a.known, a.remaining, a.opens = true, remaining, 0
	if w.resetKnown && w.reset.Earliest > now {
		a.opens = w.reset.Earliest
	}
}

// rise takes in that the sum rose by n. Nothing can be said of it if the window was to open by
// now, or is of a limit whose length is not known.
func (a *account) rise(w *window, now instant, n int64) {
	if a.opens > 0 && now >= a.opens {
		n = 0
	}
	switch {
	case w.length.Value > 0:
		regained := float64(a.most) * float64(now-a.at) / float64(w.length.Value)
		if !w.length.Told {
			regained *= accountUnsure
		}
		a.risen = max(a.risen-regained, 0) + float64(n)
	case w.limit <= 0 && !w.resetKnown:
		a.risen += float64(n)
	}
	if w.limit <= 0 {
		a.fell = 0
	}
}

// observeUnits takes in what remains of a window that does not count requests: how much each
// costs is not known.
func (a *account) observeUnits(remaining int64) {
	switch {
	case remaining < a.remaining:
		a.fell++
	case remaining > a.remaining:
		a.fell = 0
	}
	a.remaining = remaining
}
