package level

import "time"

// untold reports whether nothing is known of what a request asks for: it seems to ask for as much as any other.
func (d Demand) untold() bool { return !d.Known && d.Prompt == 0 && d.Most == 0 }

// learnUntold takes in that so much was left, and was not enough for a request of which nothing is known. It reports
// whether that is so many times what requests seem to cost that no factor explains it: the server takes more than it
// keeps, or what requests cost is not seen in how much is left.
func (l *Limiter) learnUntold(t time.Duration, h *Hold, left float64) bool {
	if !h.demand.untold() || h.admitted >= left/16 && (l.factor < 12 || h.admitted > left) {
		return false
	}
	if more := min(1.02*left+1, l.limit); more > l.beside {
		l.beside, l.raised = more, t
	}
	return true
}
