package fleet

// A tryout is what a member tries for the fleet, in this instance of the window.
type tryout struct {
	call         int64 // the report whose reply told it to
	left, flying int64 // units
	served       int64
	failed, over bool
}

// give takes in that a trial is to be made.
func (t *tryout) give(units, call int64) {
	if units > 0 {
		*t = tryout{call: call, left: units}
	}
}

// send counts a request as part of the trial, if there is one, and returns its call; 0 is none.
func (t *tryout) send(cost int64) int64 {
	if t.left < cost {
		return 0
	}
	t.left, t.flying = t.left-cost, t.flying+cost
	return t.call
}

// land takes in what became of a request of a trial. It reports whether that ends the trial.
func (t *tryout) land(e *flight, served bool) bool {
	if e.tries == 0 || e.tries != t.call || t.over {
		return false
	}
	t.flying -= e.cost
	if served {
		t.served += e.cost
	} else {
		t.left, t.failed = 0, t.failed || e.refused
	}
	return t.end()
}

// cancel takes in that a request of a trial was not sent.
func (t *tryout) cancel(e *flight) {
	if e.tries != 0 && e.tries == t.call {
		t.left, t.flying = t.left+e.cost, t.flying-e.cost
	}
}

// stop ends the trial with the instance of the window. It reports whether nothing of it is under way.
func (t *tryout) stop() bool {
	t.left = 0
	return t.end()
}

func (t *tryout) end() bool {
	if t.call == 0 || t.over || t.left > 0 || t.flying > 0 {
		return false
	}
	t.over = true
	return true
}
