package sharing

import "time"

// A Drought is the time in which a key is served nothing, though its requests are sent before the server said that they
// could be served: to test refusals, or because each seems to have limits of its own that are not used up. Whatever the
// reason, it is wrong, and requests go ever more rarely until one is served. The zero value is none.
type Drought struct {
	until  time.Time     // the first end of a wait that a refusal named
	heard  time.Time     // when the last round was refused
	last   time.Time     // when the last request went
	rounds int           // refusals of requests that went too early, each after the refusal before
	pause  time.Duration // between two requests
}

const (
	// droughtRounds are taken for a drought.
	droughtRounds = 4
	// droughtEarly is how much too early they went, at least.
	droughtEarly = 5 * time.Second
	// droughtFirst is the first pause between two requests, which grows by one part in droughtPart, up to droughtLast.
	droughtFirst = 200 * time.Millisecond
	droughtPart  = 4
	droughtLast  = 15 * time.Minute
)

// Send notes that a request goes.
func (d *Drought) Send(now time.Time) { d.last = now }

// Serve notes that a request was served.
func (d *Drought) Serve() { *d = Drought{last: d.last} }

// Refuse notes that a request was refused that was sent at sent, and asked to wait until the given time.
func (d *Drought) Refuse(now, sent, until time.Time) {
	if !sent.Before(d.heard) {
		if d.heard = now; sent.Add(droughtEarly).Before(d.until) {
			d.rounds++
		}
		if d.rounds >= droughtRounds {
			d.pause = min(max(d.pause+d.pause/droughtPart, droughtFirst), droughtLast)
		}
	}
	if !sent.Before(d.until) || until.Before(d.until) {
		d.until = until
	}
}

// any reports whether a request was refused since one was served.
func (d *Drought) any() bool { return !d.until.IsZero() }

// Next returns when the next request may go; the zero time is at once.
func (d *Drought) Next() time.Time {
	if d.pause == 0 {
		return time.Time{}
	}
	next := d.last.Add(d.pause)
	if d.until.After(d.last) && d.until.Before(next) {
		return d.until
	}
	return next
}

// Serve takes in that a request was served, which ends the droughts of its groups.
func (c *Counters) Serve(g *Groups) {
	for l, id := range g {
		if of := c.series[l][id]; of != nil {
			of.drought.Serve()
		}
	}
}

// Refuse takes in that a request was refused that was sent at sent, and asked to wait until the given time.
func (c *Counters) Refuse(now, sent time.Time, g *Groups, until time.Time) {
	for l, id := range g {
		if of := c.series[l][id]; of != nil {
			of.drought.Refuse(now, sent, until)
		}
	}
}

// Next returns when a request may go that may go at the given time as far as its key is concerned. The drought of
// a group is not that of a smaller one that has something left, as responses said.
func (c *Counters) Next(now time.Time, g *Groups, at time.Time) (next time.Time) {
	for l := levels - 1; l > ByBucket; l-- {
		of := c.series[l][g[l]]
		if of == nil {
			continue
		}
		if next = latest(next, of.drought.Next()); !of.drought.any() && now.Before(of.last.end) && of.last.left > of.sent-of.last.answered {
			return next
		}
	}
	return latest(next, at)
}
