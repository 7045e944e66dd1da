package trust

import "github.com/forbear-go/forbear/throttle/internal/clock"

// An account checks that a window counts the requests that are sent. What remains and what
// was sent by then add up to the same number after each response, but for what was under
// way. If other clients spend the quota, the sum falls. It rises when the window opens, by
// the limit at most.
type account struct {
	known     bool
	low, high int64         // bounds of the sum
	raised    int64         // how many had been sent when it rose the last time
	at        clock.Instant // when that was
	opens     clock.Instant // when the window opens, as the last response said, if that was to come
	remaining int64         // as the last response said
	most      int64         // the limit, or the most that remained
	fell      int           // how often what remains fell as it must
	falls     bool          // it fell, perhaps as it must
	risen     float64       // the sum, by more than windows regain
	sent      int64         // how many had been sent when a window opened the last time
	strange   bool          // much was gone at once that we did not send
	regains   clock.Instant // by then after that even a weighed window has regained much
}

const (
	accountFalls = 3 // show that a window counts requests
	accountSlack = 8 // requests by which a sum may rise for no reason
	// A fall tells little where more than this part of the limit was under way.
	accountPart = 4
	// As much of the limit as this part, and so many requests, are much.
	accountMuch, accountMany = 2, 16
	// A weighed window that opens regains it by and by: in this part of its length more than a test.
	accountRegains = 4
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

// observe takes in what a response says remains.
func (a *account) observe(r *Response) {
	low, high := r.Answered+r.Remaining, r.Sent+r.Remaining
	a.most = max(a.most, r.Remaining, r.Limit)
	a.lose(r, high)
	switch {
	case !a.known:
		if r.Limit >= low && r.Limit <= high {
			a.fell = accountFalls // as of a window that began with our first request
		}
		a.low, a.high = low, high
	case low > a.high:
		a.rise(r, low-a.high)
		a.low, a.high, a.at, a.raised = low, high, r.Now, r.Sent
	case high < a.low && r.Number <= a.raised:
		return // it was counted before the sum rose
	case high < a.low:
		a.low, a.high = low, high
	default:
		a.low, a.high = max(a.low, low), min(a.high, high)
		a.falls = a.falls || r.Remaining < a.remaining
		if r.Remaining < a.remaining && high-low <= max(a.most/accountPart, 1) {
			a.fell++
		}
	}
	a.known, a.remaining, a.opens = true, r.Remaining, 0
	if r.ResetKnown && r.Reset > r.Now {
		a.opens = r.Reset
	}
}

// lose notes whether much is gone at once, in a window or since one opened. Then others spend the quota,
// or the server tells something else than before.
func (a *account) lose(r *Response, high int64) {
	gone, own := a.low-high, int64(0)
	if !a.strange {
		a.regains = 0
	}
	if a.opens > 0 && r.Now >= a.opens {
		if !r.ResetKnown || !r.Length.Told || r.Reset < a.opens+r.Length.Value/2 {
			return // it rolls, or its length is a guess
		}
		gone, own, a.regains = a.most-r.Remaining, r.Sent-a.sent, r.Length.Value/accountRegains
		a.sent = r.Sent
	}
	a.strange = a.known && gone-own >= max(a.most/accountMuch, accountMany) || a.strange && r.Remaining <= a.remaining
}

// rise takes in that the sum rose by n. Nothing can be said of it if the window was to open by
// now, or is of a limit whose length is not known.
func (a *account) rise(r *Response, n int64) {
	if a.opens > 0 && r.Now >= a.opens {
		n = 0
	}
	switch {
	case r.Length.Value > 0:
		regained := float64(a.most) * float64(r.Now-a.at) / float64(r.Length.Value)
		if !r.Length.Told {
			regained *= accountUnsure
		}
		a.risen = max(a.risen-regained, 0) + float64(n)
	case r.Limit <= 0 && !r.ResetKnown:
		a.risen += float64(n)
	}
	if r.Limit <= 0 {
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
