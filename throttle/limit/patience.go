package limit

import "time"

// Awaits reports whether a request that asks for d at now can wait until at.
func (d *Demand) Awaits(now, at time.Time) bool { return d.Left == 0 || at.Sub(now) < d.Left }

// Relax shortens the wait of d, given at now, if the request cannot wait so long: pacing is voluntary, and a
// belief may be tested. Calling it again has no effect.
func (d *Decision) Relax(now time.Time, r *Demand) {
	if d.Paced > 0 || d.Try || !d.Until.IsZero() {
		d.relax(now, r)
	}
}

func (d *Decision) relax(now time.Time, r *Demand) {
	switch {
	case !d.Until.IsZero() && !r.Awaits(now, d.Until):
		if d.Try {
			*d = Decision{At: now}
			return
		}
		if d.At.Before(d.Until) && d.Trial.IsZero() {
			d.Trial = d.At
		}
		d.At = d.Until
	case d.Try && !r.Awaits(now, d.At):
		*d = Decision{At: now}
	case d.Paced > 0:
		d.At = r.paced(now, d.At, d.Paced)
	}
}

// paced returns until when pacing may hold the request, which it would let go at the given time: no longer
// than most in all, and not at all if the request cannot wait so long.
func (d *Demand) paced(now, at time.Time, most time.Duration) time.Time {
	latest := now.Add(most - d.Waited)
	switch {
	case !d.Awaits(now, at):
		return now
	case latest.Before(at):
		return latest
	}
	return at
}
