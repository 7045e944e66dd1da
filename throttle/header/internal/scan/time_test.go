package scan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestParseDate(t *testing.T) {
	for _, tt := range []struct {
		s, want string
		step    time.Duration
	}{
		{"Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", time.Second},
		{"Mon, 19 Aug 2024 20:44:27 UTC", "2024-08-19T20:44:27Z", time.Second}, // Go's RFC1123 of a UTC time
		{"Xyz, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", time.Second}, // the weekday does not matter
		{"Thu, 29 Feb 2024 00:00:00 GMT", "2024-02-29T00:00:00Z", time.Second},
		{"Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59Z", time.Second},
		{"Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z", time.Second},
		{"Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z", time.Second},
		{"Mon, 2 Jan 2006 15:04:05 GMT", "2006-01-02T15:04:05Z", time.Second},
		{"Thu Sep 14 2023 21:00:00 GMT+0200 (Central European Summer Time)", "2023-09-14T19:00:00Z", time.Second},
		{"Tuesday, June 6, 2017 12:00:00 AM GMT", "2017-06-06T00:00:00Z", time.Second},
		{"Tuesday, June 6, 2017 01:02:03 PM GMT", "2017-06-06T13:02:03Z", time.Second},

		{"2026-08-26T15:00:00Z", "2026-08-26T15:00:00Z", time.Second},
		{"2021-07-08T00:00:00+00:00", "2021-07-08T00:00:00Z", time.Second},
		{"2021-07-08T00:00:00-05:30", "2021-07-08T05:30:00Z", time.Second},
		{"2019-04-26T16:13:11.9440478Z", "2019-04-26T16:13:11.9440478Z", 100},
		{"2018-12-29T15:59:44.247025+0000", "2018-12-29T15:59:44.247025Z", time.Microsecond},
		{"2024-05-06T10:15Z", "2024-05-06T10:15:00Z", time.Minute},
		{"2026-06-12 00:00:00 +0000", "2026-06-12T00:00:00Z", time.Second},
		{"2026-06-12 00:00:00", "2026-06-12T00:00:00Z", time.Second},
		{"2018-05-02 20:03:47.693777422 +0200 CEST", "2018-05-02T18:03:47.693777422Z", 1},
		{"2018-05-02 20:03:47.5 +0200 CEST m=+0.01", "2018-05-02T18:03:47.5Z", 100 * time.Millisecond},
		{"2026-06-12", "2026-06-12T00:00:00Z", Day},
		{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", time.Second}, // a leap second
	} {
		got, step, ok := ParseDate(tt.s)
		assert.True(t, ok, tt.s)
		assert.Equal(t, tt.want, got.Format(time.RFC3339Nano), tt.s)
		assert.Equal(t, tt.step, step, tt.s)
	}
	for _, s := range []string{"", "soon", "Sun, 06 Nov 1994", "Sun, 06 Abc 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 EST",
		"Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:61:37 GMT", "Sun, 0x Nov 1994 08:49:37 GMT",
		"2026-13-01T00:00:00Z", "2026-01-32", "2026-01-01T", "2026-01-01T1:00:00Z", "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00 CET",
		"2026-01-01T00:00:5Z", "20260101", "Sunday, 06-Nov-94 08:49:37 CET"} {
		_, _, ok := ParseDate(s)
		assert.False(t, ok, s)
	}
}

// Every day from 1600 to 2400, against the standard library.
func TestDateOf(t *testing.T) {
	for at := time.Date(1600, 1, 1, 23, 59, 59, 0, time.UTC); at.Year() < 2400; at = at.AddDate(0, 0, 1) {
		got, ok := dateOf(at.Year(), int(at.Month()), at.Day(), 23, 59, 59, 0, 0)
		if !ok || !got.Equal(at) {
			t.Fatalf("%v became %v", at, got)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for _, tt := range []struct {
		s          string
		want, step time.Duration
	}{
		{"6m0s", 6 * time.Minute, time.Second},
		{"1h23m31s", time.Hour + 23*time.Minute + 31*time.Second, time.Second},
		{"17ms", 17 * time.Millisecond, time.Millisecond},
		{"1.333333333s", 1333333333, 1},
		{"12µs", 12 * time.Microsecond, time.Microsecond},
		{"5m", 5 * time.Minute, time.Minute},
		{"60 seconds", time.Minute, time.Second},
		{"1 minute", time.Minute, time.Minute},
		{"1 Day 2 hours", 26 * time.Hour, time.Hour},
		{"00:01:30", 90 * time.Second, time.Second},
		{"2.12:08:11", 60*time.Hour + 8*time.Minute + 11*time.Second, time.Second},
		{"00:00:01.5", 1500 * time.Millisecond, time.Second},
	} {
		got, step, ok := ParseDuration(tt.s)
		assert.True(t, ok, tt.s)
		assert.Equal(t, tt.want, got, tt.s)
		assert.Equal(t, tt.step, step, tt.s)
	}
	for _, s := range []string{"", "60", "s", "-5s", "5x", "5m5", "1:2:3", "99999999999h", "300y", "5 parsecs"} {
		_, _, ok := ParseDuration(s)
		assert.False(t, ok, s)
	}
}

// TestISODuration shows lengths as ISO 8601 writes them.
func TestISODuration(t *testing.T) {
	for s, want := range map[string]time.Duration{"PT2M": 2 * time.Minute, "PT1H30M": 90 * time.Minute, "P1D": Day, "P1DT12H": 36 * time.Hour,
		"PT0.5S": 500 * time.Millisecond, "P2W": 14 * Day, "pt10s": 10 * time.Second, "P1M": Month} {
		got, _, ok := ParseDuration(s)
		assert.True(t, ok, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{"P", "PT", "P1", "PT1", "P1S", "PT1D", "P1Y", "PTT1S", "P-1D", "PT99999999999999H", "PT1H1"} {
		_, _, ok := ParseDuration(s)
		assert.False(t, ok, s)
	}
}
