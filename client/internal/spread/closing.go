package spread

import "time"

// A closing is the last refusal with which all routes closed. Requests that were sent between it and its
// refusal are witnesses: if the limit concerns all routes, those of the other routes are refused too.
type closing struct {
	route        uint64
	sent, heard  time.Time // witnesses are sent from one to the other
	until        time.Time // that the refusal named
	mine, others outcomes  // of witnesses of the route, and of others
	late         outcomes  // of those of others that hardly arrived before the request that was refused
}

// outcomes counts requests.
type outcomes struct{ served, refused int }

func (o *outcomes) add(refused bool) {
	if refused {
		o.refused++
	} else {
		o.served++
	}
}

const (
	// closingWait is the least wait of a refusal that is held against its witnesses: shorter ones may
	// end before a witness arrives.
	closingWait = 2 * time.Second
	// closingLate is how many late witnesses have to be served, and twice as many as are refused.
	closingLate = 3
	// So many of the route have to be refused and so many of others served, and none else, if the route
	// of a request says alone what becomes of it: among ten at the same time, chance does that once
	// in 200 times.
	closingMine, closingOthers = 4, 6
)

// witness takes in what became of a request that was sent at sent. It reports whether it follows that
// the routes do not share the limit.
func (c *closing) witness(route uint64, sent time.Time, refused bool) bool {
	if sent.Before(c.sent) || !sent.Before(c.heard) {
		return false
	}
	if route == c.route {
		c.mine.add(refused)
	} else {
		c.others.add(refused)
		if sent.Sub(c.sent) > c.heard.Sub(sent) {
			c.late.add(refused)
		}
	}
	return c.late.served >= closingLate && c.late.served > 2*c.late.refused ||
		c.mine.refused >= closingMine && c.others.served >= closingOthers && c.mine.served+c.others.refused == 0
}
