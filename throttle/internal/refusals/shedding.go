package refusals

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A shedding tells a server that sheds load from one that limits the client. Both refuse,
// and neither says which it is. A limit refuses all that is sent after the first refusal
// until it opens again; a server that sheds refuses some, at any rate, and admits the
// rest. So the requests that were sent after a refused one and before that was known
// are witnesses: they know nothing of the refusal, and what becomes of them is the
// server's doing alone.
//
// While refusals are presumed to be a limit, each closes the key until the witnesses
// prove otherwise. While they are presumed to be shedding, only the refused request
// waits, and the key goes on until the witnesses prove a limit.
type shedding struct {
	vain     int64 // limits that turned out to be none
	credence int32 // how often in turn witnesses proved shedding; above 0 it is presumed
	open     bool  // a refusal is under judgement
	covered  bool  // which announced limits spoke against
	limit    bool  // it was shedding that turned out to be a limit, the last time
	last     clock.Instant

	// The refusal under judgement.
	number            int64         // of the request refused
	after             clock.Instant // witnesses were sent after this
	latest            int64         // the last witness; 0 is not bounded
	before            clock.Instant // until when the key was closed without it
	admitted, refused int64         // witnesses
	yes, no           float64       // the same, of the refusals before too

	share float32 // of the last answers that were refusals, smoothed
	heard float32 // how many of them there were

	waits *longWaits
	trial trial
}

const (
	sheddingMost = 8                      // proofs of shedding count no more than this
	sheddingKept = 30 * 60 * clock.Second // and for so long after the last refusal
	// A limit that refills admits a few after a refusal. So many admitted witnesses,
	// for each that was refused and for the first refusal, prove shedding.
	witnessesAdmitted = 3
	witnessesFade     = 0.75 // what those of the refusal before count still
	// So many refused, and two more for each admitted, prove a limit where shedding is
	// presumed, and one more for each proof of that.
	witnessesRefused = 4
	witnessesEnough  = 32
	// So many more for each limit that turned out to be none, but no more than so many.
	witnessesVain = 8
	witnessesMost = 16
	// So many more if the limits that the server announces do not explain it.
	witnessesCovered = 8
	shareSmooth      = 32 // answers
	// presumedWait is a wait that is long for a server that sheds load.
	presumedWait = 5 * clock.Second
)

// observe takes in whether a request was refused.
func (s *shedding) observe(refused bool) {
	x := float32(0)
	if refused {
		x = 1
	}
	s.heard = min(s.heard+1, shareSmooth)
	s.share += (x - s.share) / s.heard
}

// presumed reports whether a refusal is taken to be one of a server that sheds load.
func (s *shedding) presumed() bool { return s.credence > 0 }

// limited notes that there is a limit.
func (s *shedding) limited() { s.open, s.limit, s.credence, s.yes = false, true, 0, 0 }

// presume takes in a refusal that begins to be judged. If the server announces limits, and
// enough was left of them, then it most likely sheds load.
func (s *shedding) presume(now clock.Instant, r *Refusal) {
	if s.credence > 0 && now > s.last+sheddingKept {
		s.credence = 0
	}
	s.covered = r.Covered
	if r.Covered && !s.limit && r.Wait < presumedWait {
		s.credence = max(s.credence, 1)
	}
}

// begin starts to judge a refusal of t, which closes the key unless shedding is presumed.
func (s *shedding) begin(v *View, now clock.Instant, t *Request, wait clock.Instant) {
	s.last = now
	s.open, s.number, s.before = true, t.Number, v.Until
	// One that was sent a moment later may have arrived earlier.
	s.after = t.At + min(v.RTT.Slack(), now-t.At-v.RTT.WasShortest/2)
	s.admitted, s.refused = 0, 0
	s.yes, s.no = witnessesFade*s.yes, witnessesFade*s.no
	s.latest = 0
	if !s.presumed() {
		s.latest = v.Sent
	}
	s.waits = s.waits.begin(now, t, wait, !s.presumed())
}

// witness reports whether t was sent after the refusal under judgement, and surely
// arrived after it, and was not sent in knowledge of it.
func (s *shedding) witness(t *Request) bool {
	return s.open && t.Number > s.number && t.At > s.after && (s.latest == 0 || t.Number <= s.latest || s.waits.within(t))
}

// served takes in an answer that is no refusal. It reports whether that proves that the
// server sheds.
func (s *shedding) served(t *Request) bool {
	s.weigh(t, false)
	if !s.witness(t) {
		return false
	}
	s.admitted++
	s.yes++
	if s.yes < witnessesAdmitted*(s.no+1) && !s.waits.disproved() {
		s.over()
		return false
	}
	s.prove()
	return true
}

// weigh takes in what became of a request that may have been sent within a long wait.
func (s *shedding) weigh(t *Request, refused bool) {
	if s.open && t.Number > s.number {
		s.waits.observe(t, t.At <= s.after, refused)
	}
}

// prove notes that the server sheds.
func (s *shedding) prove() {
	s.open, s.limit = false, false
	s.credence = min(s.credence+1, sheddingMost)
}

// turnedAway takes in a further refusal. It reports whether that proves a limit, where
// shedding was presumed.
func (s *shedding) turnedAway(v *View, now clock.Instant, t *Request) bool {
	s.weigh(t, true)
	if !s.witness(t) {
		return false
	}
	s.refused++
	s.no++
	enough := witnessesRefused + int64(s.credence) - 1 + min(witnessesVain*s.vain, witnessesMost)
	if s.covered {
		enough += witnessesCovered
	}
	limit := s.refused-2*s.admitted >= enough && (v.all.limits == nil || !v.all.limits.doubt.raised) && s.waits.believed()
	if s.presumed() && limit && !s.outnumbered(v, now, t) {
		s.limited()
		return true
	}
	s.over()
	return false
}

// outnumbered reports whether most of what was sent since the refusal under judgement
// seems to be admitted, where refusals come so much faster than other answers that they
// are heard first.
func (s *shedding) outnumbered(v *View, now clock.Instant, t *Request) bool {
	return now-t.At < v.RTT.Mean/4 && 2*s.refused < v.Sent-s.number
}

// over ends a judgement that does not come to a result.
func (s *shedding) over() {
	if s.latest == 0 && s.admitted+s.refused >= witnessesEnough {
		s.open = false
	}
}
