package throttle

import "math"

// A verdict tells whether a limit that is doubted is there, while more is sent than it
// would admit. A limit serves no more than before, so that a larger share is refused; a
// server that sheds refuses the same share of all. It is a sequential probability
// ratio test between the two.
type verdict struct {
	refusal, service float64 // what the answer to one request says for a limit, as a logarithm
	odds             float64
	after            int64   // the first request that was refused; 0 is none yet
	since            instant // when that was sent
}

const (
	verdictLeast = .03 // the share is not less,
	verdictMost  = .6  // and not more
	verdictSpan  = .9  // the share that a window refuses that is used up
	verdictOdds  = 4.5 // for either side
)

// A finding is what a verdict says.
type finding int

const (
	undecided finding = iota
	aLimit
	noLimit
)

// newVerdict returns a test for a server that refused such a share. At a rate, more is
// sent by a known factor.
func newVerdict(share float64, rate bool) verdict {
	share = min(max(share, verdictLeast), verdictMost)
	limited := verdictSpan
	if rate {
		limited = 1 - (1-share)/doubtTries
	}
	return verdict{refusal: math.Log(limited / share), service: math.Log((1 - limited) / (1 - share))}
}

// observe takes in what became of a request.
func (v *verdict) observe(t *request, refused bool) finding {
	switch {
	case v.after == 0 && refused:
		v.after, v.since = t.number, t.at
		return undecided
	case v.after == 0 || t.number <= v.after:
		return undecided
	case refused:
		v.odds += v.refusal
	default:
		v.odds += v.service
	}
	switch {
	case v.odds >= verdictOdds:
		return aLimit
	case v.odds <= -verdictOdds && t.at-v.since > briefly: // not just a short window that opened
		return noLimit
	}
	return undecided
}
