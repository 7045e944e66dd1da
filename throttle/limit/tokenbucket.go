package limit

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// maxOpen is how many requests in flight, beyond a burst, are tracked one by one. If there are more, the
// oldest are assumed to have arrived as late as possible.
const maxOpen = 64

// unanswered is the time of the last response before there is one: long ago, so that the bucket is full.
const unanswered = -noTime / 4

// A tokenBucket admits requests at a rate, with bursts after pauses.
//
// The server's bucket is emptiest if each request arrived as late as possible and the next one is the fastest.
// So this bucket loses tokens at the latest arrival of a request, which its response shows: the time of the
// response less the time that every response takes. The bucket runs on the time of responses, so that it stays
// right when the estimate of that time changes. Ask charges requests in flight.
type tokenBucket struct {
	countsRequests

	q      *Quota
	bucket *rate.Limiter
	base   time.Time
	way    rtt
	owed   int32 // cost of all requests in flight
	open   eventLog
	last   int64   // time of the last response, or unanswered
	left   float64 // tokens after it
}

func newTokenBucket(q *Quota) *tokenBucket {
	return &tokenBucket{
		q:      q,
		bucket: rate.NewLimiter(rate.Limit(float64(q.n)/q.per.Seconds()), q.burst),
		last:   unanswered,
	}
}

// drain empties a new bucket.
func (l *tokenBucket) drain(now time.Time) {
	l.last, l.left = l.since(now), 0
	l.bucket.ReserveN(now, l.q.burst)
}

func (l *tokenBucket) since(t time.Time) int64 {
	if l.base.IsZero() {
		l.base = t
	}
	return int64(t.Sub(l.base))
}

// leave charges the requests in flight whose responses can tell nothing more.
func (l *tokenBucket) leave(now int64) {
	allow := l.way.allow(l.q, noTime)
	for x := l.open.live(); len(x) > 0 && x[0].to+allow+l.way.seen() < now; x = l.open.live() {
		l.giveUp(allow)
	}
}

// giveUp charges the oldest request in flight as if it arrived as late as possible.
func (l *tokenBucket) giveUp(allow int64) {
	// On the time of answers, this is when the fastest that left then would be answered. The least that
	// was seen stands for it: what is believed possible may still change by a margin.
	at := l.open.live()[0].to + allow + l.way.seen()
	l.arrive(at, l.open.pop())
}

// arrive charges a request at the latest time of its response.
func (l *tokenBucket) arrive(at int64, cost int32) {
	at = max(at, l.last)
	l.owed -= cost
	t := l.base.Add(time.Duration(at))
	for rest := int(cost); rest > 0; rest -= l.q.burst { // more than a burst after it was made smaller
		if n := min(rest, l.q.burst); !l.bucket.AllowN(t, n) {
			l.bucket.ReserveN(t, n)
		}
	}
	l.last, l.left = at, l.bucket.TokensAt(t)
}

// from returns from when on a request of that cost may go and, if that is after now, when to ask again and when
// it may go at the earliest, which is if all requests in flight are answered at once.
func (l *tokenBucket) from(now int64, cost int) (at, ask, soonest int64) {
	owed, burst := int(l.owed), l.q.burst
	fills := l.last + l.lasts(float64(owed+cost)-l.left)
	at, soonest = fills-int64(l.way.least()), fills-l.most()
	ask = at
	// All from one of those that are open to the new one may arrive at once, when that one does.
	for open := l.open.live(); owed+cost > burst && len(open) > 0; open = open[1:] {
		sent, fills := open[0].to, l.lasts(float64(owed+cost-burst))
		allow := l.way.allow(l.q, fills)
		at, ask = max(at, sent+allow+fills), max(ask, l.way.look(now, sent, allow, fills))
		soonest = max(soonest, sent+fills)
		owed -= int(open[0].cost)
	}
	return at, ask, min(soonest, ask)
}

// most is the least time that every answer takes, if it is as much as it can be.
func (l *tokenBucket) most() int64 { return max(int64(l.way.least()), l.way.seen()) }

// lasts returns how long it takes to earn so many tokens, rounded up.
func (l *tokenBucket) lasts(tokens float64) int64 {
	// Tokens are floats: a thousandth of a nanosecond is nothing but rounding. Fewer tokens than none
	// are time to spare.
	d := math.Ceil(tokens/float64(l.bucket.Limit())*float64(time.Second) - 1e-3)
	return int64(max(-float64(noTime/4), min(d, float64(noTime/4))))
}

func (l *tokenBucket) Ask(now time.Time, d Demand) Decision {
	cost := d.Count()
	if cost > l.q.burst {
		return Decision{Limit: l.q.name, Max: l.q.burst}
	}
	at := l.since(now)
	l.leave(at)
	if from, ask, soonest := l.from(at, cost); from > at {
		return Decision{Limit: l.q.name, At: l.base.Add(time.Duration(ask)), Soonest: l.base.Add(time.Duration(soonest))}
	}
	return Decision{}
}

func (l *tokenBucket) Take(now time.Time, d Demand) {
	cost := d.Count()
	l.owed += int32(cost)
	l.open.add(l.since(now), 0, int32(cost))
	if len(l.open.live()) > maxOpen && int(l.owed) > l.q.burst+maxOpen {
		l.giveUp(l.way.allow(l.q, -1))
	}
}

// Cancel undoes a Take. If the request must have arrived by now, its tokens stay spent, because the state of
// the bucket without it is no longer known.
func (l *tokenBucket) Cancel(taken time.Time, d Demand) {
	cost := int32(d.Count())
	if x := l.open.find(l.since(taken)); x != nil && l.open.pull(x, cost) {
		l.owed -= cost
	}
}

// Done learns from a response when its request arrived at the latest.
func (l *tokenBucket) Done(now, taken time.Time, d Demand) {
	at, sent := l.since(now), l.since(taken)
	possible := l.q.fixed || l.way.sample(now.Sub(taken))
	x := l.open.find(sent)
	if x == nil || !possible || at-int64(l.way.least()) >= x.to+l.way.allow(l.q, noTime) {
		return
	}
	if cost := int32(d.Count()); l.open.pull(x, cost) {
		l.arrive(at, cost)
	}
}

func (l *tokenBucket) Idle(now time.Time) bool {
	at := l.since(now)
	l.leave(at)
	if l.owed > 0 || at < l.last-int64(l.way.least())+l.lasts(float64(l.q.burst)-l.left) {
		return false
	}
	l.open = eventLog{}
	return true
}

func (l *tokenBucket) Forecast(now time.Time, ahead int, d Demand) Decision {
	return Decision{At: l.forecast(now, ahead, d.Count()), Limit: l.q.name}
}

// forecast spends all tokens on the requests ahead.
func (l *tokenBucket) forecast(now time.Time, ahead, cost int) time.Time {
	at := l.since(now)
	l.leave(at)
	come := float64(at-l.last+l.most()) / float64(time.Second) * float64(l.bucket.Limit())
	have := min(float64(l.q.burst), l.left+come) - float64(l.owed)
	missing := float64(ahead) + float64(cost) - have
	return now.Add(time.Duration(max(0, l.lasts(missing))))
}

// inherit adopts the requests in flight, and the tokens.
func (l *tokenBucket) inherit(old Limiter, now time.Time) {
	o, ok := old.(*tokenBucket)
	if !ok {
		return
	}
	q, bucket := l.q, l.bucket
	*l = *o
	l.q = q
	if l.last == unanswered {
		l.bucket = bucket
		return
	}
	l.last = max(l.last, l.since(now))
	t := l.base.Add(time.Duration(l.last))
	l.bucket.SetLimitAt(t, bucket.Limit())
	l.bucket.SetBurstAt(t, q.burst)
	l.left = min(l.bucket.TokensAt(t), float64(q.burst))
}
