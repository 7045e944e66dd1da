package level

import "time"

// A falls estimates what a request costs by how what remains falls, where no
// response tells.
type falls struct {
	each  sample
	sum   float64
	count float64

	from    time.Duration // since when these are counted
	base    float64       // what was missing then
	arrived float64       // how many requests arrived since
	first   float64       // what each of them took, where some arrived
}

// begin counts anew what requests take that arrive from now on.
func (f *falls) begin(t time.Duration, missing float64) {
	f.from, f.base, f.arrived = t, missing, 0
}

// arrive takes in that so many requests arrived by the time that so much is missing, beside what came back.
func (f *falls) arrive(missing, count float64) {
	if f.arrived += count; f.arrived >= 8 {
		f.first = (missing - f.base) / f.arrived
	}
}

func (f *falls) observe(fall, count float64) {
	f.sum += fall
	f.count += count
	if f.count >= 16 {
		f.each.add(max(0, f.sum/f.count))
		f.sum, f.count = 0, 0
	}
}

// observeArrivals compares what is missing with how many requests arrived: it tells sooner than falls between two
// responses what a request takes.
func (l *Limiter) observeArrivals(t time.Duration, w Window, c counts) {
	missing := w.Limit - w.Remaining
	back := (t - l.falls.from).Seconds() * l.refill.rate
	full := l.refill.bucket && l.missing(t) <= 0 || !l.refill.bucket && l.reset > 0 && t >= l.reset
	if !l.told || w.Limit != l.limit || full {
		l.falls.begin(t, missing)
		return
	}
	l.falls.arrive(missing+back, c.arrived)
}

// observeFall compares what remains with what remained: the rest of the fall is
// the cost of requests that do not tell it, or others.
func (l *Limiter) observeFall(t time.Duration, w Window, c counts) {
	base := l.remaining + l.grains.half()
	if l.refill.bucket {
		if base += (t - l.at).Seconds() * l.refill.rate; base >= l.limit {
			return
		}
	} else if l.reset > 0 && t+2*time.Second >= l.reset {
		return
	}
	fall := base - w.Remaining
	l.others.rate = 0
	if l.refill.bucket && l.answers >= 32 {
		l.others.rate = l.others.estimate(l.refill.rate)
	}
	l.others.observe(t-l.at, fall, c)
	if w.Streamed {
		l.refunds.observe(fall, c)
	}
	if c.requests > 0 {
		l.measured(func() { l.falls.observe(fall, c.requests) })
	}
}
