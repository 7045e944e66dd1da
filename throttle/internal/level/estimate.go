package level

import (
	"math"
	"time"
)

// prompt returns a high estimate of what a prompt costs.
func (l *Limiter) prompt(d Demand) float64 {
	if l.ratios.n < 8 {
		return d.Prompt / 3
	}
	return d.Prompt * l.ratios.high(1) * (1 + 1/float64(l.ratios.n)) // the next may be longer than any so far
}

// admission returns the most that the server may ask for before it serves a
// request.
func (l *Limiter) admission(d Demand) float64 {
	if d.Known {
		return d.Cost
	}
	most := l.prompt(d)
	if !l.trial.asksLess(l.refill.bucket) {
		most += d.Most
	}
	if d.Most == 0 {
		mean, deviation := l.asked()
		most = max(most, mean+deviation)
		return min(most*l.factor+l.beside, l.limit)
	}
	return min(most*l.factor, l.limit)
}

// minimum returns what it asks for at least.
func (l *Limiter) minimum(d Demand) float64 {
	if d.Prompt == 0 {
		return min(1, l.limit)
	}
	return min(l.prompt(d), l.limit)
}

// perRequest returns the mean and the deviation of what a request costs, by
// what was told or else by what is missing after it.
func (l *Limiter) perRequest() (mean, deviation float64) {
	switch {
	case l.used.n >= 4:
		return l.used.mean()
	case l.falls.tell():
		return l.falls.each.mean()
	}
	return l.limit / 90, l.limit / 180
}

// asked returns the mean and the deviation of what requests seem to ask for when they arrive.
func (l *Limiter) asked() (mean, deviation float64) {
	if l.falls.tell() {
		return l.falls.each.mean()
	}
	mean, deviation = l.perRequest()
	if l.guesses() && l.refill.bucket { // what is not spent now is not lost
		mean = max(mean, min(l.falls.first, l.limit/4))
	}
	return mean, deviation
}

// ending returns how much is kept back for responses that end before a request arrives.
func (l *Limiter) ending() float64 { return l.reserve(l.mayEnd()) }

// reserve returns how much of what may end too soon is kept back. In a bucket that is not lost, and in a window
// that opens it is lost once. What is not spent of a rolling window is always lost: less and less of it is kept
// back as long as hardly any request is refused.
func (l *Limiter) reserve(most float64) float64 {
	if !l.refill.bucket && (l.rolls(false) || l.reset == 0) {
		return l.caution * most
	}
	return most
}

// endSoon returns how many responses are expected to end before a request arrives, if they end evenly.
func (l *Limiter) endSoon() float64 {
	duration := 1.0
	if l.durations.n > 0 {
		duration, _ = l.durations.mean()
	}
	return float64(l.estimated) * l.soon() / max(duration, 1e-3)
}

// endSoonByAge returns how many are at the ages at which responses end: those that began together may end together.
// Of one that takes longer than any before, nothing is known.
func (l *Limiter) endSoonByAge() (x float64) {
	longest := l.durations.quantile(1)
	for _, h := range l.holds {
		if age := (l.now - h.sent).Seconds(); h.end == 0 && !h.demand.Known && age <= longest {
			x += l.durations.within(age, l.soon())
		}
	}
	return x
}

// soon is how long a request is on its way, in seconds.
func (l *Limiter) soon() float64 { return min(l.least.quantile(0), 0.5) }

// atMost returns how many end with all likelihood where x are expected to.
func (l *Limiter) atMost(x float64) float64 {
	return min(float64(l.estimated), math.Ceil(x+3*math.Sqrt(x))+1)
}

// mayEnd returns the most that they may cost.
func (l *Limiter) mayEnd() float64 {
	if l.estimated == 0 {
		return 0
	}
	x := l.endSoon()
	k := l.atMost(x)
	switch {
	case l.used.n >= 8:
		high := l.used.high(0.95)
		if l.refill.bucket && l.flown > l.limit/8 { // what is kept back is not lost, and a refusal costs more
			x = max(x, l.endSoonByAge())
			k, high = l.atMost(x), l.used.high(1)
		}
		mean, deviation := l.used.mean()
		return min(k*high, x*mean+4*math.Sqrt(x*(mean*mean+deviation*deviation))+high)
	case l.falls.tell():
		mean, deviation := l.perRequest()
		return k*mean + 2*deviation*math.Sqrt(k)
	}
	return min(k*l.flown, l.few(k))
}

// few is ending where few responses told yet what they cost: the fewer, the more others may differ.
func (l *Limiter) few(k float64) float64 {
	var mean, high, n float64
	switch {
	case l.answers < 8: // whether it fills all the time is not known either
		return math.Inf(1)
	case l.used.n >= 4:
		n = float64(l.used.n)
		mean, _ = l.used.mean()
		high = l.used.quantile(1)
	case l.falls.count >= 4:
		n = l.falls.count
		mean = l.falls.sum / n
		high = mean
	default:
		return math.Inf(1)
	}
	wide := 1 + 4/n
	return wide * (k*mean + 4*high)
}

// Others is what remains falls by though none of our requests explains it.
type others struct {
	fall, admitted, ended float64
	past                  float64
	rate                  float64 // per second
}

func (o *others) observe(past time.Duration, fall float64, c counts) {
	const fade = 0.97
	o.past = o.past*fade + past.Seconds()
	o.fall = o.fall*fade + fall
	o.admitted, o.ended = o.admitted*fade+c.admitted, o.ended*fade+c.ended
}

// estimate returns by how much what remains falls each second without us, at
// most nine tenths of what comes back.
func (o *others) estimate(refill float64) float64 {
	unexplained := o.fall - max(o.admitted, o.ended)
	return min(max(0, unexplained/max(o.past, 1e-9)), 0.9*refill)
}

// Grains finds out how far numbers are rounded: if all that was told is a
// multiple of some power of ten, and costs are not, they are multiples of it.
type grains struct {
	remaining, costs uint64 // greatest common divisors
	n                int
}

func (g *grains) observe(remaining float64) {
	if remaining > 0 && remaining < 1<<53 {
		g.remaining = gcd(g.remaining, uint64(remaining))
		g.n++
	}
}

func (g *grains) cost(c float64) {
	if c >= 1 && c < 1<<53 {
		g.costs = gcd(g.costs, uint64(c))
	}
}

// whole returns what is between two numbers that may be told.
func (g *grains) whole() float64 {
	if g.n < 3 {
		return 0
	}
	grain := uint64(1)
	for p := uint64(10); p <= 100_000 && g.remaining%p == 0; p *= 10 {
		if g.costs == 0 || g.costs%p != 0 {
			grain = p
		}
	}
	if grain == 1 {
		return 0
	}
	return float64(grain)
}

func (g *grains) half() float64 { return g.whole() / 2 }

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
