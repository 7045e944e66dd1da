package refusals

// An evidence is what speaks against the limits that refusals taught, whatever they are.
// A server that limits keeps its word, and once its limit is known it refuses seldom.
type evidence struct {
	broken      int   // waits that the server named, kept, and refused the next request all the same
	congestions int   // in a row, with few requests admitted before each
	admitted    int64 // before all of these

	// A rate that a trial found is not refused while as many requests are admitted as
	// the trial took.
	trial int64
	falls int // congestions since
}

const (
	// The first broken wait of a congestion counts as one, each further one as two: the
	// first may only show that the server rounds down. So many in all are too many.
	evidenceBroken = 4
	// evidenceFew is how many requests before a congestion are few.
	evidenceFew = 16
	// So many congestions in a row are too many with fewer than so many requests before
	// each on average.
	evidenceSoon = 3
	// Or so many with fewer than one more than that.
	evidenceLater = 4
	// So many congestions refute a rate that a trial found.
	evidenceFalls = 2
)

// probe takes in that a request was refused in spite of the wait that the server had
// named, as the n-th of one congestion.
func (e *evidence) probe(n int) { e.broken += min(n, 2) }

// believe takes in that a trial of so many requests found a rate.
func (e *evidence) believe(need int64) { e.trial, e.falls = need, 0 }

// against takes in a congestion before which so many requests were admitted. It reports
// whether there is too much evidence to believe in a limit. Each time that this was said
// in vain it takes twice as much.
func (e *evidence) against(admitted int64, patience int) bool {
	patience = min(patience, 6)
	if admitted <= evidenceFew {
		e.congestions++
		e.admitted += admitted
	} else {
		e.congestions, e.admitted = 0, 0
	}
	n := int64(e.congestions)
	dense := n >= evidenceSoon<<patience && e.admitted < evidenceSoon*n ||
		n >= evidenceLater<<patience && e.admitted < (evidenceLater+1)*n
	return e.refuted(admitted) || dense || e.broken >= evidenceBroken<<patience
}

// refuted reports whether the rate that a trial found is refused as soon and as often as
// those before.
func (e *evidence) refuted(admitted int64) bool {
	if e.trial <= 0 {
		return false
	}
	e.falls++
	e.trial -= admitted
	return e.trial > 0 && e.falls >= evidenceFalls
}
