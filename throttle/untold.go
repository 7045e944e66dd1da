package throttle

import "github.com/forbear-go/forbear/throttle/header"

// Some servers announce a limit only where they refuse. What such a refusal says of the window is
// true, but nobody says how much is left of the next one, so that a limit like this is learned from
// refusals, as one that is not announced at all.

// tells takes in whether a response that was no refusal tells of windows, and drops those that only
// refusals told of, which it does not mention.
func (k *Limiter) tells(now instant, r *header.Reading) {
	k.silent = len(r.Windows) == 0
	if k.silent {
		k.drop(now, func(w *window) bool { return !w.served && w.counts() })
	}
}

// untold reports whether only refusals tell of the window that one speaks of.
func (k *Limiter) untold(r *header.Reading, said *header.Window) bool {
	if !r.Refused || !k.silent || said.Unit == concurrentUnit || !countsRequests(said) {
		return false
	}
	w := k.matching(said)
	return w == nil || !w.served
}

// onlyRefusalsTell reports whether that is so of all windows of a refusal.
func (k *Limiter) onlyRefusalsTell(r *header.Reading) bool {
	for i := range r.Windows {
		if !k.untold(r, &r.Windows[i]) {
			return false
		}
	}
	return len(r.Windows) > 0
}
