package trust

import (
	"slices"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A Mixture notices that responses speak of several windows under one name: now of one,
// now of another, of which requests differ in something that is not known here, or of whichever
// has less left. Their limits differ and alternate. Which of them counts a request cannot
// be told before the response comes, so none of them holds requests back.
type Mixture struct {
	limits  [mixtureLimits]int64 // told of late
	lengths [mixtureLimits]clock.Length
	next    int           // the newest of them
	returns int           // to one of these, one soon after the other
	since   clock.Instant // the first of them
	changed clock.Instant // when the limit changed last
	same    int           // responses since
}

const (
	mixtureLimits  = 8
	mixtureReturns = 8                // show a mixture,
	mixtureTime    = 2 * clock.Second // over so long: the responses to requests under way overtake each other
	mixtureSoon    = 10 * clock.Second
	// So many responses that tell one limit, over so many windows, end it.
	mixtureSame    = 256
	mixtureWindows = 4
)

// Mixed reports whether there are several windows.
func (m *Mixture) Mixed() bool {
	return m.returns >= mixtureReturns && m.changed-m.since >= mixtureTime
}

// Tells reports whether responses that were no refusals told the limit of late.
func (m *Mixture) Tells(limit int64) bool { return slices.Contains(m.limits[:], limit) }

// turn takes the limit that a response tells for that of the window. length is that of the window,
// and becomes what it was when this limit was told before.
func (m *Mixture) turn(limit int64, length *clock.Length) (known bool) {
	m.lengths[m.next] = *length
	if i := slices.Index(m.limits[:], limit); i >= 0 {
		m.next, *length = i, m.lengths[i]
		return true
	}
	m.next = (m.next + 1) % mixtureLimits
	m.limits[m.next] = limit
	return false
}

// Refuse takes in the limit that a refusal tells.
func (m *Mixture) Refuse(now clock.Instant, limit int64, length *clock.Length) {
	if limit != m.limits[m.next] && m.Tells(limit) {
		m.turn(limit, length)
		m.same, m.changed = 0, now
	}
}

// Observe takes in the limit that a response tells that is no refusal.
func (m *Mixture) Observe(now clock.Instant, limit int64, length *clock.Length) {
	if limit == m.limits[m.next] {
		if m.same++; m.same >= mixtureSame && now-m.changed > mixtureWindows*length.Value {
			m.returns = 0
		}
		return
	}
	m.same = 0
	known := m.turn(limit, length)
	switch {
	case !known:
	case m.returns == 0 || !m.Mixed() && now-m.changed > 2*max(length.Value, mixtureSoon):
		m.returns, m.since = 1, now
	default:
		m.returns++
	}
	m.changed = now
}
