package queue

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// smooth lets requests go at a rate, with bursts after pauses.
type smooth struct {
	q      *Quota
	bucket *rate.Limiter
	learn  delay
	first  time.Time // take
	last   time.Time // take
	left   float64   // tokens after the last take
}

func newSmooth(q *Quota) *smooth {
	return &smooth{
		q:      q,
		bucket: rate.NewLimiter(rate.Limit(float64(q.n)/q.per.Seconds()), q.burst),
		left:   float64(q.burst),
	}
}

// reserve is how many tokens stay in the bucket so that requests that overtake each other on the way
// do not overflow the server's.
func (l *smooth) reserve(now time.Time) float64 {
	spread := l.q.slack
	if !l.q.fixed {
		var known bool
		spread, known = l.learn.spread()
		if !known && l.learn.n == 0 && !l.first.IsZero() {
			// Nothing is known until the first answer: nothing of what came in since is spent.
			spread = min(now.Sub(l.first), maxDelay)
		}
	}
	return float64(l.bucket.Limit()) * spread.Seconds()
}

// have is how many tokens there were if the bucket had no bottom to overflow from since the last take.
// It matters where a burst of 1 leaves no room for a reserve: the time is waited out instead.
func (l *smooth) have(now time.Time) float64 {
	if l.last.IsZero() {
		return math.Inf(1)
	}
	return l.left + now.Sub(l.last).Seconds()*float64(l.bucket.Limit())
}

func (l *smooth) Ask(now time.Time, r *Request) Answer {
	cost := r.cost()
	if cost > l.q.burst {
		return Answer{Name: l.q.name, Max: l.q.burst}
	}
	missing := float64(cost) + l.reserve(now) - l.have(now)
	// Tokens are floats: a billionth of one is nothing but rounding.
	if missing <= 1e-9 {
		return Answer{}
	}
	return Answer{Name: l.q.name, At: now.Add(l.lasts(missing))}
}

// lasts is how long it takes to get so many tokens, rounded up.
func (l *smooth) lasts(tokens float64) time.Duration {
	d := math.Ceil(tokens / float64(l.bucket.Limit()) * float64(time.Second))
	if d >= never/2 {
		return never / 2
	}
	return max(time.Duration(d), 1)
}

func (l *smooth) Take(now time.Time, r *Request) {
	if l.first.IsZero() {
		l.first = now
	}
	if !l.bucket.AllowN(now, r.cost()) {
		l.bucket.ReserveN(now, r.cost()) // a rounding error short
	}
	l.last, l.left = now, l.bucket.TokensAt(now)
}

// Observe learns how much delays differ.
func (l *smooth) Observe(now, taken time.Time) { l.learn.sample(now.Sub(taken)) }

func (l *smooth) Idle(now time.Time) bool { return l.have(now) >= float64(l.q.burst) }

func (l *smooth) Forecast(now time.Time, ahead int, r *Request) time.Time {
	have := min(l.have(now), float64(l.q.burst))
	missing := float64(ahead) + float64(r.cost()) - have
	if missing <= 0 {
		return now
	}
	return now.Add(l.lasts(missing))
}

// inherit takes over the tokens.
func (l *smooth) inherit(old Limit, now time.Time) {
	o, ok := old.(*smooth)
	if !ok {
		return
	}
	l.learn, l.first = o.learn, o.first
	if o.last.IsZero() {
		return
	}
	o.bucket.SetLimitAt(now, l.bucket.Limit())
	o.bucket.SetBurstAt(now, l.q.burst)
	l.bucket = o.bucket
	l.last, l.left = now, min(l.bucket.TokensAt(now), float64(l.q.burst))
}
