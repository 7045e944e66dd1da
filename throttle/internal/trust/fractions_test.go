package trust_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
	"github.com/forbear-go/forbear/throttle/internal/trust"
)

// Zeros that are left out do not make a reset less exact, but one that is rounded is not.
func TestFractions(t *testing.T) {
	in := func(d, step time.Duration) header.Reset { return header.Reset{In: d, Resolution: step} }
	at := func(ms int64, step time.Duration) header.Reset {
		return header.Reset{At: time.UnixMilli(ms), Resolution: step}
	}
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		told  []header.Reset
		steps []time.Duration // as they are meant
		by    []time.Duration
	}{
		"a second among less": {[]header.Reset{in(time.Second, time.Second), in(950*ms, ms), in(time.Second, time.Second), in(2*time.Second, time.Second)},
			[]time.Duration{time.Second, ms, ms, time.Second}, []time.Duration{0, 999 * ms, 0, 0}},
		"rounded above a second": {[]header.Reset{in(950*ms, ms), in(3*time.Second, time.Second), in(2*time.Second, time.Second), in(950*ms, ms)},
			[]time.Duration{ms, time.Second, time.Second, ms}, []time.Duration{0, 0, 0, 0}},
		"zeros of decimals": {[]header.Reset{in(3*time.Second, time.Second), in(2500*ms, 100*ms), in(2250*ms, 10*ms), in(2*time.Second, time.Second)},
			[]time.Duration{time.Second, 100 * ms, 10 * ms, 10 * ms}, []time.Duration{0, 900 * ms, 90 * ms, 0}},
		"moments": {[]header.Reset{at(1500, 100*ms), at(2000, time.Second), at(2125, ms), at(3000, time.Second)},
			[]time.Duration{100 * ms, 100 * ms, ms, ms}, []time.Duration{0, 0, 99 * ms, 0}},
		"minutes": {[]header.Reset{in(950*ms, ms), in(time.Minute, time.Minute)}, []time.Duration{ms, time.Minute}, []time.Duration{0, 0}},
		"seconds": {[]header.Reset{in(time.Second, time.Second), in(9*time.Second, time.Second)}, []time.Duration{time.Second, time.Second}, []time.Duration{0, 0}},
		"nothing": {[]header.Reset{{}}, []time.Duration{0}, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			var f trust.Fractions
			for i, told := range c.told {
				meant, by := f.Correct(told)
				assert.Equal(t, clock.Instant(c.by[i]), by, i)
				assert.Equal(t, c.steps[i], meant.Resolution, i)
				assert.Equal(t, told.In, meant.In)
				assert.Equal(t, told.At, meant.At)
			}
		})
	}
}
