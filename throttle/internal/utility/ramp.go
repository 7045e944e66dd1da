package utility

// A ramp lets more and more requests be in flight that do not wait for a limit, so that few are refused if
// there is no reason not to wait.
type ramp struct {
	most            int64 // so many; 0 is all
	served, refused int64 // since that changed
	steep           bool  // more were refused
}

const (
	rampServed = 8 // times as many as may be in flight are served before twice as many may be
	// More than a few and one in so many refused are too many.
	rampChance, rampPart = 2, 4
	// Then so much fewer may be, once.
	rampBack = 4
	rampLast = 32
)

// allows reports whether one more may go when so many are in flight.
func (r *ramp) allows(flying int64) bool { return r.most == 0 || flying < r.most }

// serve takes in that a request was served.
func (r *ramp) serve() {
	if r.most == 0 {
		return
	}
	if r.served++; r.steep || r.served < rampServed*r.most {
		return
	}
	if *r = (ramp{most: 2 * r.most}); r.most > rampLast {
		*r = ramp{}
	}
}

// refuse takes in that one was refused. It reports whether too many are however few are in flight.
func (r *ramp) refuse() (vain bool) {
	if r.refused++; r.most == 0 || r.refused <= min(rampChance, r.most-1)+r.served/rampPart {
		return false
	}
	vain = r.steep || r.most == 1
	*r = ramp{most: max(r.most/rampBack, 1), steep: true, refused: -r.most} // of those in flight
	return vain
}
