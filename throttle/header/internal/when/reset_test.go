package when

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

func TestParse(t *testing.T) {
	at := func(s string, step time.Duration) Reset {
		v, err := time.Parse(time.RFC3339Nano, s)
		assert.NoError(t, err)
		return Reset{At: v.UTC(), Resolution: step}
	}
	in := func(d, step time.Duration) Reset { return Reset{In: d, Resolution: step} }
	for _, tt := range []struct {
		s    string
		unit time.Duration
		want Reset
	}{
		{"0", 0, in(0, time.Second)},
		{"60", 0, in(time.Minute, time.Second)},
		{`"60"`, 0, in(time.Minute, time.Second)},
		{"2592000", 0, in(30*scan.Day, time.Second)}, // a month: real, so a large delay is not milliseconds
		{"31622400", 0, in(366*scan.Day, time.Second)},
		{"31622401", 0, Reset{}}, // neither a delay nor an epoch
		{"137270087", 0, Reset{}},
		{"946684799", 0, Reset{}},
		{"946684800", 0, at("2000-01-01T00:00:00Z", time.Second)},
		{"1103919616", 0, at("2004-12-24T20:20:16Z", time.Second)},
		{"1740831300", 0, at("2025-03-01T12:15:00Z", time.Second)},
		{"1740831300", time.Second, at("2025-03-01T12:15:00Z", time.Second)}, // Reset-After with an epoch
		{"1470173023.123", 0, at("2016-08-02T21:23:43.123Z", time.Millisecond)},
		{"1741305600001", 0, at("2025-03-07T00:00:00.001Z", time.Millisecond)},
		{"1741305600000", 0, at("2025-03-07T00:00:00Z", time.Second)}, // perhaps rounded
		{"1741305600000001", 0, at("2025-03-07T00:00:00.000001Z", time.Microsecond)},
		{"1741305600000000001", 0, at("2025-03-07T00:00:00.000000001Z", 1)},
		{"20649", time.Millisecond, in(20649*time.Millisecond, time.Millisecond)},
		{"1800000300000", time.Millisecond, at("2027-01-15T08:05:00Z", time.Second)},
		{"4406000000", time.Nanosecond, in(4406*time.Millisecond, 1)},
		{"19", time.Minute, in(19*time.Minute, time.Minute)},
		{"11.382867097854614", 0, in(11382867097, 1)},
		{"-1", 0, Reset{}},
		{"-62135596800", 0, Reset{}},
		{"0001-01-01T00:00:00Z", 0, Reset{}},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0, Reset{}},
		{"99999999999999999999", 0, Reset{}},
		{"NaN", 0, Reset{}},
		{"6m0s", time.Millisecond, in(6*time.Minute, time.Second)},
	} {
		got, ok := Parse(tt.s, tt.unit)
		assert.Equal(t, tt.want != Reset{}, ok, tt.s)
		assert.Equal(t, tt.want, got, "%s in %v", tt.s, tt.unit)
	}
}

func TestResetDelay(t *testing.T) {
	for _, tt := range []struct {
		reset Reset
		want  time.Duration
	}{
		{Reset{}, 0},
		{Reset{In: time.Minute, Resolution: 1}, time.Minute},
		{Reset{At: noon.Add(time.Minute), Resolution: 1}, time.Minute},
		{Reset{At: noon.Add(-time.Minute), Resolution: 1}, 0},
		{Reset{At: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), Resolution: 1}, MaxDelay},
		{Reset{In: 200 * 365 * scan.Day, Resolution: 1}, MaxDelay},
	} {
		assert.Equal(t, tt.want, tt.reset.Delay(noon), "%+v", tt.reset)
	}
}
