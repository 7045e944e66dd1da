//go:build race

package fleet

// usualSchedules is how many random schedules are tried; the race detector takes its time.
const usualSchedules = 2

const raceEnabled = true
