package throttle

// ready returns when n more may go on the account of this window: the earliest of
// what its grounds say.
func (w *window) ready(k *Limiter, now instant, n int64) instant {
	if w.units != nil {
		return w.units.ready(w, k, now)
	}
	if w.plenty(k, now, n) {
		return now
	}
	return w.weigh(k, now, n)
}

// weigh is ready where there is something to consider.
func (w *window) weigh(k *Limiter, now instant, n int64) instant {
	if w.concurrent {
		if w.limit <= 0 || k.sent-k.answered+n <= w.limit {
			return now
		}
		return never
	}
	if w.open() || w.belief.beyond {
		return now
	}
	switch {
	case !w.contention.others(now):
	case w.bucket.recognised:
		return w.contention.drawReady(w, k, now, n)
	case w.contention.rolled >= rolls:
		if at := w.contention.holdReady(w, k, now, n); at != never {
			return at
		}
		return w.probeReady(k, now)
	}
	at := w.creditReady(k, now, n)
	if at <= now || at != never && !w.refills() {
		return at // nothing else may pass those who wait for an answer
	}
	at = min(at, w.refillReady(n), w.historyReady(k, now, n))
	if w.sliding.recognised {
		at = min(at, w.counterReady(k, now, n))
	}
	return max(now, min(at, w.probeReady(k, now)))
}

// plenty reports whether n may go on credit, far from its end, as most requests may.
// Weighing would say the same.
func (w *window) plenty(k *Limiter, now instant, n int64) bool {
	left := w.grantedThrough - w.reserve - k.sent
	return w.credited && left > w.threshold && left >= n &&
		now >= w.contention.until && now >= w.replicas.until && !w.concurrent && w.phase.spread(w.limit) == 0
}

// refills reports whether the server is known to regain requests all the time,
// and how.
func (w *window) refills() bool {
	return w.rolling.proved() || w.bucket.recognised || w.sliding.recognised
}

// left returns how many may go on credit.
func (w *window) left(k *Limiter, now instant) int64 {
	left := w.grantedThrough - w.reserve - k.sent
	if w.contention.others(now) {
		left = min(left, w.contention.budget(w)-w.reserve-k.sent)
	}
	if now < w.replicas.until && !w.refills() && w.contention.rolled == 0 {
		left = min(left, w.replicas.budget()-w.reserve-k.sent)
	}
	return left
}

// creditReady returns when n more may go on credit.
func (w *window) creditReady(k *Limiter, now instant, n int64) instant {
	shared, left := w.contention.others(now), w.left(k, now)
	if !w.credited || left < n {
		return never
	}
	if shared && w.contention.stale(k, now) {
		return max(now, k.lastSent+k.rtt.patience())
	}
	return now
}

// refillReady returns when a bucket has regained what n more cost.
func (w *window) refillReady(n int64) instant {
	return w.bucket.ready(w.limit-w.reserve, n)
}

// historyReady returns when n more may go because few enough of our own left
// within the window's length.
func (w *window) historyReady(k *Limiter, now instant, n int64) instant {
	allowed := w.limit - w.reserve - n
	if allowed < 0 || w.length.value == 0 || !w.length.known() && !w.rolling.proved() {
		return never
	}
	at := max(now, w.rolling.refutedUntil, w.history.fallsTo(allowed)+w.reach(k))
	if w.rolling.proved() {
		return at
	}
	// Until the log is known to explain the server, it is good for a probe.
	if !w.sliding.excluded {
		at = max(at, w.counterReady(k, now, n))
	}
	return w.inTurn(k, at)
}

// reach is how far the log looks back: the window, and the time by which one
// request may travel longer than another.
func (w *window) reach(k *Limiter) instant { return w.length.value + k.rtt.slack() }

// opens returns when a probe makes sense: after the reset, or when a refusal bade
// us come back, or, where nothing at all is known of the window's time, after a
// while that doubles.
func (w *window) opens(k *Limiter) instant {
	at := never
	switch {
	case w.resetKnown:
		at = w.reset.latest
	case w.length.value == 0 || w.limit <= 0:
		at = k.lastSent + max(w.probe.blind, second)
	}
	if w.probe.bidden > 0 {
		at = min(at, w.probe.bidden)
	}
	return at
}

// probeReady returns when a probe may go.
func (w *window) probeReady(k *Limiter, now instant) instant {
	if w.refills() && w.probe.bidden == 0 {
		return never // what opens is known without trying, and is spent already
	}
	at := w.opens(k)
	if w.contention.others(now) && at != never {
		at += w.contention.delay
	}
	if w.probe.bidden == 0 && !w.sliding.excluded && w.phase.settled() == 0 {
		at = min(max(at, w.counterReady(k, max(at, now), 1)), w.phase.patience(w, at))
	}
	return w.inTurn(k, at)
}

// inTurn returns when the next probe may go, which makes sense at the given time:
// after the answer to the one under way, or when that is too long in coming.
func (w *window) inTurn(k *Limiter, at instant) instant {
	if w.probe.number == 0 {
		return at
	}
	return max(at, w.probe.sent+k.rtt.patience())
}
