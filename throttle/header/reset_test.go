package header

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBetter(t *testing.T) {
	in := func(d, step time.Duration) Reset { return Reset{In: d, Resolution: step} }
	at := Reset{At: benchNow, Resolution: time.Second}
	later := Reset{At: benchNow.Add(1), Resolution: time.Second}
	for _, tt := range []struct{ a, b, want Reset }{
		{Reset{}, at, at},
		{at, in(9, time.Millisecond), in(9, time.Millisecond)}, // the finer
		{at, in(9, time.Second), in(9, time.Second)},           // the delay
		{in(8, time.Second), in(9, time.Second), in(9, time.Second)},
		{at, later, later},
		{at, at, at},
	} {
		assert.Equal(t, tt.want, better(tt.a, tt.b))
		assert.Equal(t, tt.want, better(tt.b, tt.a), "the order must not matter")
	}
}
