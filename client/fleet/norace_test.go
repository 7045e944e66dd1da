//go:build !race

package fleet

// usualSchedules is how many random schedules are tried.
const usualSchedules = 10

const raceEnabled = false
