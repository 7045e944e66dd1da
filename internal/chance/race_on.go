//go:build race

package chance

// Raced says whether the race detector is on, under which simulations take too long for their figures.
const Raced = true
