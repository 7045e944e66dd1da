package contention

import "github.com/forbear-go/forbear/throttle/internal/clock"

// fill notes how much our log holds of a window that does not roll, as far as is
// known, or not yet.
func (s *Estimator) fill(v *View) {
	s.holds = float64(max(s.most, v.Log.After(v.Now-v.Length)))
	s.low, s.lower, s.most, s.next = v.Limit, v.Limit, 0, v.Now+v.Length
}

// hold follows how much our log may hold of a window that rolls. It returns our
// part of what was spent. A burst that leaves the window makes room only until
// all have sent as much again, so what counts is the least that was left
// during some time.
func (s *Estimator) hold(r *Response) float64 {
	own := float64(r.Log.Between(r.Now-r.Length, r.At))
	part := min(max(own/float64(max(r.Limit-r.Remaining, 1)), 0.02), 1)
	if s.Others(r.Now) && r.Limit-r.Remaining > r.Log.After(r.At-r.Reach()) {
		s.until = r.Now + 2*r.Length // the server counted more than we sent
	}
	s.low, s.most = min(s.low, r.Remaining), max(s.most, r.Log.After(r.Now-r.Length))
	if r.Now >= s.next {
		if r.Kind.Emission() == 0 {
			s.rivals.roll(r, s.low == 0 && s.most >= int64(s.holds)-1, s.low > 0, s.Others(r.Now))
		}
		s.holds = min(s.holds, float64(s.most)) + part*(float64(s.low)-fairMargin*own)
		s.low, s.lower, s.most, s.next = r.Limit, s.low, 0, r.Now+r.Length
	}
	return part
}

// holdReady returns when our log may take n more.
func (s *Estimator) holdReady(v *View, n int64) clock.Instant {
	room := int64(s.holds+s.spare(v)) - v.Reserve - n
	if room < 0 {
		return clock.Never
	}
	return max(v.Now, v.Log.FallsTo(room)+v.Reach())
}

// spare returns our part of what was left at every time beyond a part of the limit, as far as it was followed: who
// is far from the limit does not wait until a whole window was followed.
func (s *Estimator) spare(v *View) float64 {
	left := min(s.low, s.lower) - v.Limit/spareKept
	if left <= 0 {
		return 0
	}
	return s.Part(v.Limit) * float64(left)
}

// spareKept is the part of the limit that is left for what others may send again that left the window.
const spareKept = 2
