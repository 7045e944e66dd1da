//go:build race

package harm

const raceEnabled = true
