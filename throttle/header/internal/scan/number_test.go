package scan

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestNumberTimes(t *testing.T) {
	for _, tt := range []struct {
		s    string
		unit time.Duration
		want time.Duration
		ok   bool
	}{
		{"60", time.Second, time.Minute, true},
		{"1.5", time.Second, 1500 * time.Millisecond, true},
		{"64.57", time.Second, 64570 * time.Millisecond, true},
		{"0.5", time.Minute, 30 * time.Second, true},
		{"20649", time.Millisecond, 20649 * time.Millisecond, true},
		{"-0", time.Second, 0, true},
		{"-1", time.Second, 0, false},
		{"9223372034", time.Second, 9223372034 * time.Second, true},
		{"9223372035", time.Second, 0, false}, // 292 years
		{"9223372036854775", time.Microsecond, 0, false},
		{"922337203685477579", time.Nanosecond, 922337203685477579, true},
		{"200000", 7 * Day, 0, false},
	} {
		n, ok := ParseNumber(tt.s)
		assert.True(t, ok, tt.s)
		got, ok := n.Times(tt.unit)
		assert.Equal(t, tt.ok, ok, "%s × %v", tt.s, tt.unit)
		assert.Equal(t, tt.want, got, "%s × %v", tt.s, tt.unit)
	}
}

func TestNumberStep(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"12": time.Second, "12.0": 100 * time.Millisecond, "12.345": time.Millisecond,
		"11.382867097854614": 1, "1." + strings.Repeat("0", 5000): 1,
	} {
		n, ok := ParseNumber(s)
		assert.True(t, ok, s)
		assert.Equal(t, want, n.Step(time.Second), s)
	}
}
