package level

import "time"

// A falls estimates what a request costs by how what remains falls, where no
// response tells.
type falls struct {
	each  sample
	sum   float64
	count float64
}

func (f *falls) observe(fall, count float64) {
	f.sum += fall
	f.count += count
	if f.count >= 16 {
		f.each.add(max(0, f.sum/f.count))
		f.sum, f.count = 0, 0
	}
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
