package when

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestClockMoment reads times of a day whose zone stands beside them.
func TestClockMoment(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"Your quota resets at midnight UTC.":                                      12 * time.Hour,
		"Daily limit reached, it resets each day at UTC 00:00:00":                 12 * time.Hour,
		"Requests are rejected until the next day (00:00 UTC).":                   12 * time.Hour,
		"Try again after 00:00 GMT":                                               12 * time.Hour,
		"The daily quota resets at midnight Pacific Time":                         20 * time.Hour,
		"You've hit your limit · resets 8pm (America/New_York)":                   13 * time.Hour,
		"resets at 12:30pm UTC":                                                   30 * time.Minute,
		"Quotas reset at noon UTC":                                                24 * time.Hour,
		"Hourly API request limit exceeded. Please try again in the next hour.":   time.Hour,
		"Your rate limit will reset at the start of the next hour.":               time.Hour,
		"Quota will be replenished in 02:12:08":                                   2*time.Hour + 12*time.Minute + 8*time.Second,
		"Daily limit reached. Resets at midnight UTC, or add a key of your own.":  12 * time.Hour,
		"Retry after 30 seconds. Daily quotas reset at midnight UTC.":             30 * time.Second,
		"The weekly limit resets in 2 days; hourly ones reset at midnight in UTC": 48 * time.Hour,
	} {
		got, ok := InProse(text, noon)
		assert.True(t, ok, text)
		assert.Equal(t, want, got.Delay(noon), text)
	}
	for _, text := range []string{
		"Please try again tomorrow.",
		"The quota resets at midnight.",
		"It resets at midnight in Mountain View",
		"Réessayez entre 10:00 et 11:00",
		"Try again at 8pm",
		"resets at 25:00 UTC",
		"resets at midnight (../../etc/passwd)",
		"resets at midnight (Nowhere/Atall)",
		"It resets at midnight. UTC is the zone of our logs",
	} {
		got, ok := InProse(text, noon)
		assert.False(t, ok, "%s: %v", text, got)
	}
}

// TestClockMomentDST shows that a day on which clocks change has no 24 hours.
func TestClockMomentDST(t *testing.T) {
	if _, err := time.LoadLocation("America/Los_Angeles"); err != nil {
		t.Skip(err)
	}
	before := time.Date(2026, 3, 8, 8, 0, 0, 0, time.UTC) // midnight of the day on which summer time begins
	got, ok := InProse("resets at midnight Pacific time", before)
	assert.True(t, ok)
	assert.Equal(t, 23*time.Hour, got.Delay(before))
}

func FuzzClockMoment(f *testing.F) {
	for _, s := range []string{"midnight utc", "utc 00:00:00", "8pm america/new_york", "the next hour", "next day 00:00 utc.", "noon/", "24:00 z"} {
		f.Add(s, int64(1772366400))
	}
	f.Fuzz(func(t *testing.T, s string, at int64) {
		base := time.Unix(at%(1<<33), 0)
		got, ok := clockMoment(strings.Fields(strings.ToLower(s)), base)
		if ok && (!got.At.After(base) || got.At.Sub(base) > 50*time.Hour) {
			t.Fatalf("%q at %v: %v", s, base, got)
		}
	})
}
