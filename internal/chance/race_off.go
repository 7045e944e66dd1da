//go:build !race

package chance

const raceEnabled = false
