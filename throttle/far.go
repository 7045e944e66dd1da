package throttle

// isFar reports whether w is so short beside a round trip that what responses say of it is over
// when they come, whether they tell a reset in long steps or not. Then its limit is learned from
// refusals, like one that is not announced.
func (w *window) isFar(k *Limiter) bool {
	if len(k.windows) != 1 || w.units != nil || w.limit <= 0 || w.length.Told || w.kind.Regains() || !w.far && w.phase.Openings() < farOpenings {
		return false
	}
	span := max(w.length.Least-w.step-k.rtt.WasShortest, second) // of all that responses have told
	return farTrip*k.rtt.Mean >= farSpan*span
}

const (
	// farOpenings is how many times a window has to have opened until it is known to be short.
	farOpenings = 4
	// A window is far if a round trip takes more than nine sixteenths of it.
	farTrip, farSpan = 16, 9
)

// far reports whether the window of the key is too short beside a round trip.
func (k *Limiter) far() bool { return len(k.windows) == 1 && k.windows[0].far }
