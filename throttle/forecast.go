package throttle

import (
	"cmp"
	"time"

	"github.com/forbear-go/forbear/throttle/internal/kind"
	"github.com/forbear-go/forbear/throttle/limit"
)

// Forecast returns when a request may go if requests that cost ahead in all go first, at the earliest. It never
// returns a time that is later than what will really happen, unless the limits turn out to be higher than they
// are known to be. The zero Decision means that nothing is known. It has no visible effect.
func (k *Limiter) Forecast(now time.Time, ahead int) limit.Decision {
	i, n := k.instant(now), max(int64(ahead), 0)
	k.expire(i)
	at, name := i, ""
	for j := range k.windows {
		w := &k.windows[j]
		if ready := w.forecast(k, i, n); ready > at {
			at, name = ready, cmp.Or(w.name, unnamed)
		}
	}
	if ready := k.forecastLearned(i, n); ready > at {
		at, name = ready, Learned
	}
	if at == i {
		return limit.Decision{}
	}
	return limit.Decision{At: k.time(at), Limit: name}
}

// forecastLearned returns when the limits that the server does not announce let a request go after n others.
func (k *Limiter) forecastLearned(now instant, n int64) instant {
	v := k.view()
	l := k.refusals.Inferred(&v, now)
	at := now + periods(n-l.Room, l.Limit, l.Length)
	if rate := l.Rate; rate > 0 {
		if !l.RateSure {
			rate *= 2 // it may rise by so much soon
		}
		at = max(at, now+instant(float64(n)/rate*float64(second)))
	}
	return at
}

// forecast returns when the window has room after n requests, at the earliest, as far as is known.
func (w *window) forecast(k *Limiter, now instant, n int64) instant {
	if !w.counts() || !w.credited || w.limit <= 0 || !w.length.Known() || w.ignored() || w.contention.Replicas(now) {
		return now
	}
	first := w.ready(k, now, 1)
	if first == never {
		first = now
	}
	if step := w.kind.Emission(); step > 0 && first > now {
		return first + periods(n, 1, step)
	}
	n = max(n-max(w.left(k, now), 0), 0)
	name, sure := w.kind.Kind(w.resetKnown)
	if name == kind.Fixed && n > 0 {
		first = max(first, w.reset.Earliest)
	}
	at := first + periods(n, w.limit-w.reserve, w.length.Value)
	if sure && name == kind.Fixed {
		return at
	}
	// It may be a bucket that regains them one by one.
	return min(at, now+instant(float64(n)/float64(w.limit)*float64(w.length.Value)))
}

// periods returns how long as many windows last as n requests fill.
func periods(n, size int64, length instant) instant {
	if n < size || size <= 0 || length <= 0 {
		return 0
	}
	return min(instant(n/size), farthest/length) * length
}
