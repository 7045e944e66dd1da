package ratemodel

import (
	"math"
	"time"
)

// A Pool is an amount of something else than requests, of which servers charge
// more than one at a time. It may be overdrawn. Times must not go backwards.
type Pool interface {
	// Level returns what is left; below zero it is in debt.
	Level(now time.Time) float64
	// Charge takes an amount, or gives back a negative one.
	Charge(now time.Time, amount float64)
	// Wait returns how long it takes until so much is left.
	Wait(now time.Time, need float64) time.Duration
	// Full returns the time that the server announces: until the pool is full, or
	// opens.
	Full(now time.Time) time.Duration
	// Limit returns the most that it holds.
	Limit() float64
}

// Charging is when a server charges for a request.
type Charging uint8

// The ways of charging.
const (
	ChargeEnd    Charging = iota // the true cost, once the response is complete
	ChargeRefund                 // the most that it may cost, before; the rest comes back
	ChargeKeep                   // the most that it may cost, before
	ChargeLive                   // the prompt before, the output as it is produced
)

// A Charger charges requests to a pool. The zero Factor is 1.
type Charger struct {
	Pool     Pool
	Charging Charging
	Factor   float64 // the server counts so much more than it tells
}

// A Cost is what a request truly costs, and the most that it might.
type Cost struct{ Prompt, Output, MaxOutput float64 }

func (c *Charger) factor() float64 {
	if c.Factor == 0 {
		return 1
	}
	return c.Factor
}

// Need returns what has to be left for a request to be served.
func (c *Charger) Need(r Cost) float64 {
	switch c.Charging {
	case ChargeEnd:
		return math.SmallestNonzeroFloat64
	case ChargeLive:
		return r.Prompt * c.factor()
	}
	return (r.Prompt + r.MaxOutput) * c.factor()
}

// Admit reports whether a request is served, and charges for it if so.
func (c *Charger) Admit(now time.Time, r Cost) bool {
	if c.Pool.Level(now) < c.Need(r) {
		return false
	}
	if c.Charging != ChargeEnd {
		c.Pool.Charge(now, c.Need(r))
	}
	return true
}

// Settle charges what is still due once a response is complete.
func (c *Charger) Settle(now time.Time, r Cost) {
	switch c.Charging {
	case ChargeEnd:
		c.Pool.Charge(now, (r.Prompt+r.Output)*c.factor())
	case ChargeLive:
		c.Pool.Charge(now, r.Output*c.factor())
	case ChargeRefund:
		c.Pool.Charge(now, (r.Output-r.MaxOutput)*c.factor())
	}
}

// Charged returns what a request is charged in all.
func (c *Charger) Charged(r Cost) float64 {
	if c.Charging == ChargeKeep {
		return c.Need(r)
	}
	return (r.Prompt + r.Output) * c.factor()
}

// NewRefillingPool returns a full pool that refills evenly, from empty in per.
func NewRefillingPool(limit float64, per time.Duration) Pool {
	return &refillingPool{limit: limit, level: limit, rate: limit / per.Seconds()}
}

type refillingPool struct {
	limit, level, rate float64
	last               time.Time
}

func (p *refillingPool) Limit() float64 { return p.limit }

func (p *refillingPool) Level(now time.Time) float64 {
	if !p.last.IsZero() {
		p.level = min(p.limit, p.level+now.Sub(p.last).Seconds()*p.rate)
	}
	p.last = now
	return p.level
}

func (p *refillingPool) Charge(now time.Time, amount float64) {
	p.level = min(p.limit, p.Level(now)-amount)
}

func (p *refillingPool) Wait(now time.Time, need float64) time.Duration {
	lack := need - p.Level(now)
	if lack <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(lack/p.rate*1e9)) + 1
}

func (p *refillingPool) Full(now time.Time) time.Duration { return p.Wait(now, p.limit) }

// NewFixedPool returns a pool that is full at each boundary of the clock; debt
// is forgotten there.
func NewFixedPool(limit float64, length time.Duration) Pool {
	return &fixedPool{limit: limit, level: limit, length: length}
}

type fixedPool struct {
	limit, level float64
	length       time.Duration
	start        time.Time
}

func (p *fixedPool) Limit() float64 { return p.limit }

func (p *fixedPool) Level(now time.Time) float64 {
	if start := windowStart(now, time.Time{}, p.length); !start.Equal(p.start) {
		p.start, p.level = start, p.limit
	}
	return p.level
}

func (p *fixedPool) Charge(now time.Time, amount float64) {
	p.level = min(p.limit, p.Level(now)-amount)
}

func (p *fixedPool) Wait(now time.Time, need float64) time.Duration {
	if p.Level(now) >= need {
		return 0
	}
	return p.Full(now)
}

func (p *fixedPool) Full(now time.Time) time.Duration {
	return windowStart(now, time.Time{}, p.length).Add(p.length).Sub(now)
}

// NewRollingPool returns a pool in which each charge counts for a length of
// time.
func NewRollingPool(limit float64, length time.Duration) Pool {
	return &rollingPool{limit: limit, length: length}
}

type rollingPool struct {
	limit   float64
	length  time.Duration
	charges []charge
	sum     float64
}

type charge struct {
	at     time.Time
	amount float64
}

func (p *rollingPool) Limit() float64 { return p.limit }

func (p *rollingPool) Level(now time.Time) float64 {
	k := 0
	for k < len(p.charges) && now.Sub(p.charges[k].at) >= p.length {
		p.sum -= p.charges[k].amount
		k++
	}
	p.charges = p.charges[k:]
	if len(p.charges) == 0 {
		p.sum = 0
	}
	return min(p.limit, p.limit-p.sum)
}

// Charge gives back what was charged last.
func (p *rollingPool) Charge(now time.Time, amount float64) {
	p.Level(now)
	for i := len(p.charges) - 1; i >= 0 && amount < 0; i-- {
		back := min(-amount, p.charges[i].amount)
		p.charges[i].amount -= back
		p.sum -= back
		amount += back
	}
	if amount <= 0 {
		return
	}
	p.charges = append(p.charges, charge{now, amount})
	p.sum += amount
}

func (p *rollingPool) Wait(now time.Time, need float64) time.Duration {
	if p.Level(now) >= need {
		return 0
	}
	sum := p.sum
	for _, c := range p.charges {
		if sum -= c.amount; p.limit-sum >= need {
			return c.at.Add(p.length).Sub(now)
		}
	}
	return p.length
}

// Full returns when the oldest charge leaves.
func (p *rollingPool) Full(now time.Time) time.Duration {
	p.Level(now)
	if len(p.charges) == 0 {
		return 0
	}
	return p.charges[0].at.Add(p.length).Sub(now)
}
