package level

import "time"

// A falls estimates what a request costs by how what remains falls, where no
// response tells.
type falls struct {
	each  sample
	sum   float64
	count float64
	rose  bool // more was left after sixteen requests than before

	taken, arrived float64 // the whole fall, and how many requests arrived meanwhile
	first          float64 // what each of them took, where some arrived
}

// arrive takes in a fall during which so many requests arrived. It tells sooner than each what a request takes.
func (f *falls) arrive(fall, count float64) {
	f.taken, f.arrived = f.taken+fall, f.arrived+count
	if f.arrived >= 8 {
		f.first = f.taken / f.arrived
	}
}

func (f *falls) observe(fall, count float64) {
	f.sum += fall
	f.count += count
	if f.count >= 16 {
		f.rose = f.rose || f.sum < 0
		f.each.add(max(0, f.sum/f.count))
		f.sum, f.count = 0, 0
	}
}

// tell reports whether they tell what a request costs. Where a window opens between what was taken and what is given
// back, each seems to cost less than nothing.
func (f *falls) tell() bool { return f.each.n >= 4 && (f.each.sum > 0 || !f.rose) }

// observeFall compares what remains with what remained: the rest of the fall is
// the cost of requests that do not tell it, or others.
func (l *Limiter) observeFall(t time.Duration, w Window, c counts) {
	opens := !l.refill.bucket && l.reset > 0 && t+2*time.Second >= l.reset
	if fall := l.fallen(l.anew.told, l.anew.at, t, w); !opens || fall > 0 {
		l.measured(func() { l.falls.arrive(fall, c.arrived) })
	}
	if opens {
		return
	}
	fall := l.fallen(l.remaining, l.at, t, w)
	l.others.rate = 0
	if l.refill.bucket && l.answers >= 32 {
		l.others.rate = l.others.estimate(l.refill.rate)
	}
	l.others.observe(t-l.at, fall, c)
	if w.Streamed {
		l.refunds.observe(fall, c)
		if l.refill.bucket {
			l.kept.observe(fall, c, l.mayCount(), max(l.flown, 1))
		}
	}
	if c.requests > 0 {
		l.measured(func() { l.falls.observe(fall, c.requests) })
	}
}

// fallen returns how much less remains than would without us, of what remained at a time.
func (l *Limiter) fallen(remained float64, at, t time.Duration, w Window) float64 {
	base := remained + l.grains.half() + (t-at).Seconds()*l.refill.rate
	if l.refill.bucket {
		base = min(base, l.limit)
	}
	return base - w.Remaining
}
