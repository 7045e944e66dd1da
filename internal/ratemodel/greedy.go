package ratemodel

import (
	"math"
	"time"
)

// Greedy returns how many requests a client that knows everything could have had
// admitted in [from, to), sent at least gap apart (0: any number at once). It
// spends m, which should be fresh, and jumps from one admission to the next. For
// a model without windows there is no bound: it returns math.MaxInt.
//
// Asking as early as possible is best for the models of this package: what is
// spent earlier comes back no later, so the client's k-th admission is never
// after that of any other client.
func Greedy(m Model, from, to time.Time, gap time.Duration) int {
	if len(m.Windows(nil, from)) == 0 {
		return math.MaxInt
	}
	n := 0
	for t := m.Next(from); t.Before(to) && m.Admit(t); t = m.Next(t.Add(gap)) {
		n++
	}
	return n
}
