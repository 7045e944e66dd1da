package throttle

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A contention estimates what others spend of a window's quota, and which part of what
// is left is ours. What is left falls by our own requests; by how much more it
// falls, others send. As long as others are there, we spend our part of what is
// left and no more, so that those who do the same never want more than there is.
type contention struct {
	from   int64 // what was left when the window was first told of:
	number int64 // by the answer to this request,
	sure   int64 // before which so many had been counted for sure
	begun  bool
	newest int64   // the newest request whose answer was heard
	heard  instant // when
	left   int64   // what that one told

	part  float64 // of all that was spent, ours, unless it is yet to be reckoned; see ours
	due   bool    // it is
	past  float64 // the same at the end of the last window
	until instant // others are believed to be there until then
	delay instant // of the next probe, so that those who wait for the same reset do not collide
	back  int64   // so many were given back of what was sent since the newest answer

	// Where the window rolls, our part is what our log may hold, and where a bucket
	// refills what it held then and refills since.
	holds float64
	low   int64 // the least that was left, and
	most  int64 // the most that our log held, until
	next  instant

	turns turns

	// Of a bucket: what we, and what all took out of it lately.
	own, all float64
}

// fairMargin is the part of what we spend that we leave free, so that others who
// spend less, and leave the same part of that, may grow.
const fairMargin = 0.04

// drawLevel is the part of a bucket that, if it is left, lets one client take all
// that flows in.
const drawLevel = 10

// fill notes how much our log holds of a window that does not roll, as far as is
// known, or not yet.
func (s *contention) fill(w *window, now instant) {
	since := now - w.length.Value
	s.holds = float64(max(s.most, w.history.After(since)))
	s.low, s.most, s.next = w.limit, 0, now+w.length.Value
}

// hold follows how much our log may hold of a window that rolls. It returns our
// part of what was spent. A burst that leaves the window makes room only until
// everybody has sent as much again, so what counts is the least that was left
// during some time.
func (s *contention) hold(w *window, k *Limiter, now instant, t *Reservation, remaining int64) float64 {
	own := float64(w.history.Between(now-w.length.Value, t.at))
	part := min(max(own/float64(max(w.limit-remaining, 1)), 0.02), 1)
	if s.others(now) && w.limit-remaining > w.history.After(t.at-w.reach(k)) {
		s.until = now + 2*w.length.Value // the server counted more than we sent
	}
	s.low, s.most = min(s.low, remaining), max(s.most, w.history.After(now-w.length.Value))
	if now >= s.next {
		s.holds = min(s.holds, float64(s.most)) + part*(float64(s.low)-fairMargin*own)
		s.low, s.most, s.next = w.limit, 0, now+w.length.Value
	}
	return part
}

// holdReady returns when our log may take n more.
func (s *contention) holdReady(w *window, k *Limiter, now instant, n int64) instant {
	room := int64(s.holds) - w.reserve - n
	if room < 0 {
		return never
	}
	return max(now, w.history.FallsTo(room)+w.reach(k))
}

// sharePrior is by how large a part of the limit the past counts against the present.
const sharePrior = 8

// others reports whether others are believed to spend the quota.
func (s *contention) others(now instant) bool { return now < s.until }

// begin starts over with a new window.
func (s *contention) begin(w *window) {
	if s.begun {
		s.past = s.turns.begin(s.ours(w), s.others(s.heard))
	}
	s.begun = false
}

// ours returns which part of all that was spent is ours: over this window and,
// fading, those before. Most of the time nobody asks, so it is reckoned when somebody
// does, from what the newest answer left behind.
func (s *contention) ours(w *window) float64 {
	if s.due {
		fall, own := s.from-s.left, s.newest-s.number
		prior := float64(w.limit) / sharePrior
		s.part = (float64(own) + prior*s.past) / (float64(max(fall, own)) + prior)
		s.due = false
	}
	return s.part
}

// budget returns up to which number requests are our part.
func (s *contention) budget(w *window) int64 {
	return s.newest + int64(s.ours(w)*float64(s.left)) + s.back
}

// observe takes in what a response says is left of a window that does not refill.
func (s *contention) observe(w *window, k *Limiter, now instant, t *Reservation, remaining int64) {
	if s.begun && t.number < s.newest {
		return
	}
	if w.kind.Emission() > 0 && s.begun {
		s.draw(w, k, now, t, remaining)
	}
	if s.begun {
		w.replicas.observe(w, k, now, t, remaining, s.left)
	} else {
		w.replicas.begin(t.number + remaining)
	}
	s.newest, s.heard, s.left = t.number, now, remaining
	if !s.begun {
		s.begun, s.from, s.number, s.sure = true, remaining, t.number, t.answered+t.cost
		if s.past == 0 {
			s.past = 1
		}
		s.delay = 2 * k.rtt.Usual()
		if s.turns.on {
			s.delay = max(s.delay, w.length.Value/instant(w.limit))
		}
		s.delay = k.jitter(s.delay)
	}
	if fall := s.from - remaining; fall > k.sent-s.sure {
		s.until = now + 2*max(w.length.Value, second)
	}
	s.due, s.back = true, 0
	s.turns.observe(w, now)
	switch {
	case w.length.Value == 0:
	case !w.kind.Rolls():
		s.fill(w, now)
	default:
		if part := s.hold(w, k, now, t, remaining); w.kind.Emission() == 0 {
			s.part, s.due = part, false
		}
	}
}

// stale reports whether what was heard last is too old to spend a part of it. Then
// one request at a time goes, until its answer comes, or is too long in coming.
func (s *contention) stale(k *Limiter, now instant) bool {
	return now > s.heard+second+4*k.rtt.Usual() && k.sent > k.answered
}

// draw follows what we and all took out of a bucket between two answers.
func (s *contention) draw(w *window, k *Limiter, now instant, t *Reservation, remaining int64) {
	back := min(float64(now-s.heard)/float64(w.kind.Emission()), float64(w.limit-s.left))
	s.own += float64(t.number - s.newest)
	s.all = max(s.all+float64(s.left-remaining)+back, s.own)
	if s.all > float64(w.limit) {
		s.own, s.all = s.own/2, s.all/2
	}
	if s.all > 1.05*s.own+float64(4+k.sent-k.answered) {
		s.until = now + 2*clock.Times(w.kind.Emission(), w.limit)
	}
}

// drawReady returns when n may be taken out of a bucket that others use: at a rate
// in proportion to what is left. All who do so see the same, so that they send at
// the same rate, and what is left settles where together they take what flows in.
func (s *contention) drawReady(w *window, k *Limiter, now instant, n int64) instant {
	level := max(s.left-w.reserve, 1)
	full := max(w.limit/drawLevel, 1)
	return max(now, k.lastSent+clock.Times(w.kind.Emission(), n*full)/instant(level))
}

// refused takes in that nothing was left for us when others were there.
func (s *contention) refused(w *window, t *Reservation, again bool, now instant) {
	if !s.others(now) {
		return
	}
	w.history.Remove(t.at, t.cost)
	if !again {
		s.holds -= max(1, s.holds/32)
	}
}
