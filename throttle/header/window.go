package header

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/when"
)

// Count is a number of units that a server reported, or did not. The zero
// value is an absent count. Absent, malformed, unlimited and zero are four
// different things: only a Known count says how much.
type Count struct {
	// Value is the number reported, never negative. It is meaningful only when
	// State is Known.
	Value float64
	// State says whether the number was reported and could be read.
	State State
}

// Known reports whether the server told the number.
func (c Count) Known() bool { return c.State == Known }

// none reports whether the server told that the number is zero.
func (c Count) none() bool { return c.State == Known && c.Value == 0 }

// State tells what became of a field of a response.
type State uint8

// The states of a field.
const (
	Absent    State = iota // the response does not have the field
	Malformed              // the field is there, but its value means nothing
	Known                  // the field is there and was read
	Unlimited              // the field says that there is no limit, or none known: -1, "unlimited", 0 of 0 on a success
)

// Reset is the moment at which a window opens again, as the server told it.
// The zero value is an unknown reset.
type Reset struct {
	// At is the moment on the server's clock. It is zero when the server sent
	// a delay, or nothing.
	At time.Time `json:",omitzero"`
	// In is the delay, counted from when the server made the response. It is
	// meaningful only when At is zero and Resolution is not.
	In time.Duration `json:",omitzero"`
	// Resolution is the step of the notation used (a second for epoch seconds, a
	// millisecond for three decimals), and so the bound of the error that
	// rounding, up, down or to nearest, may have made. Zero means that
	// nothing is known of the reset.
	Resolution time.Duration `json:",omitzero"`
}

// Known reports whether the server told a reset.
func (r Reset) Known() bool { return r.Resolution > 0 }

// Delay returns how long after base, the moment at which the server made the
// response, the reset comes. It is 0 for a reset that has passed, and for an
// unknown one; and never more than a hundred years.
func (r Reset) Delay(base time.Time) time.Duration {
	return when.Reset(r).Delay(base)
}

// maxDelay is the longest delay of a Reset.
const maxDelay = when.MaxDelay

// Window is one limit over one period, as one response describes it. Each part
// of it can be unknown.
type Window struct {
	// Name tells the windows of one response apart: the suffix or the policy
	// name that the server used, or "default".
	Name string
	// Limit is the most that the window allows.
	Limit Count
	// Remaining is what was left when the server made the response. Where the
	// server sends only limit and use, it is their difference.
	Remaining Count
	// Used is what had been spent, where the server sends that.
	Used Count
	// Reset is when the window opens again.
	Reset Reset
	// Length is the period of the window; 0 when the response does not tell.
	Length time.Duration
	// Unit is what is counted ("requests", "tokens", …); "" when not told.
	Unit string
	// Scope is whom or what the window counts (a bucket, a resource, a
	// partition key), as the server named it; "" when not told.
	Scope string
	// PerSecond is how much comes back each second; 0 when the response does not tell.
	PerSecond float64
}

// Clone returns a copy that does not keep the response in memory.
func (w Window) Clone() Window {
	w.Name, w.Unit, w.Scope = strings.Clone(w.Name), strings.Clone(w.Unit), strings.Clone(w.Scope)
	return w
}

// Exhausted reports whether the server said that nothing is left.
func (w Window) Exhausted() bool { return w.Remaining.none() }
