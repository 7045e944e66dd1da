package header

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParseCount(t *testing.T) {
	known := func(v float64) Count { return Count{Value: v, State: Known} }
	bad, free := Count{State: Malformed}, Count{State: Unlimited}
	for s, want := range map[string]Count{
		"0": known(0), "5000": known(5000), " 7 ": known(7), "+3": known(3), `"12"`: known(12),
		"600.0": known(600), "1.00": known(1), "0.04512": known(0.04512), ".5": known(0.5), "47.003958333333": known(47.003958333),
		"1,200.00": known(1200), "12,345,678.5": known(12345678.5),
		"-1": free, "-1.0": free, "unlimited": free, "Infinity": free,
		"-66181": known(-66181), // for the window to judge
		"":       bad, "-": bad, ".": bad, "foo": bad, "1e9": bad, "NaN": bad, "0x10": bad, "1 2": bad, "1,200": bad, "1,20.00": bad,
		",200.00": bad, "1,200.": known(1200), strings.Repeat("9", 30): bad, strings.Repeat("1,111", 20) + ".0": bad,
	} {
		assert.Equal(t, want.State, parseCount(s).State, "%q", s)
		assert.InDelta(t, want.Value, parseCount(s).Value, 1e-9, "%q", s)
	}
}

func TestDigits(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "42": 42, "1740831300000": 1740831300000, "999999999999999": 999999999999999} {
		got, ok := digits(s)
		assert.True(t, ok, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "-1", "1.0", " 1", "1 ", "a", "1000000000000000", "١"} {
		_, ok := digits(s)
		assert.False(t, ok, s)
	}
}

func TestNear(t *testing.T) {
	assert.True(t, near(1, 1))
	assert.True(t, near(0.1, 0), "one of them cut down")
	assert.True(t, near(7, 7.9))
	assert.False(t, near(7.2, 7.9))
	assert.False(t, near(7, 8))
	assert.False(t, near(math.MaxFloat64, 0))
}
