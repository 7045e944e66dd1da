package chance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder is a test that may fail and is not one.
type recorder struct {
	testing.TB

	failed bool
}

func (*recorder) Helper()                 {}
func (*recorder) Log(...any)              {}
func (*recorder) Logf(string, ...any)     {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Failed() bool          { return r.failed }

func TestMostDrawsHaveToHold(t *testing.T) {
	for outcomes, want := range map[string]struct {
		drawn  int
		failed bool
	}{"+": {1, false}, "-+++": {4, false}, "-+-++": {5, false}, "--+++": {5, false}, "---": {3, true}, "-++--": {5, true}} {
		t.Run(outcomes, func(t *testing.T) {
			if Raced {
				want.drawn, want.failed = 1, false
			}
			r, drawn := &recorder{TB: t}, 0
			judge(r, func() bool {
				drawn++
				return outcomes[drawn-1] == '+'
			})
			assert.Equal(t, want.drawn, drawn)
			assert.Equal(t, want.failed, r.failed)
		})
	}
}

func TestFailuresOfADraw(t *testing.T) {
	for name, f := range map[string]func(testing.TB){
		"Fail":   func(t testing.TB) { t.Fail() },
		"Error":  func(t testing.TB) { t.Error() },
		"Errorf": func(t testing.TB) { t.Errorf("") },
		"Fatal":  func(t testing.TB) { t.Fatal() },
		"Fatalf": func(t testing.TB) { t.Fatalf("") },
		"assert": func(t testing.TB) { assert.True(t, false) },
	} {
		r := &recorder{TB: t}
		assert.False(t, holds(r, f), name)
		assert.False(t, r.failed, name)
	}
	r, after := &recorder{TB: t}, false
	assert.False(t, holds(r, func(t testing.TB) { require.True(t, false); after = true }))
	assert.False(t, after, "it goes on after a require that failed")
	assert.True(t, holds(r, func(testing.TB) {}))
}

func TestBubble(t *testing.T) {
	began := time.Now()
	Bubble(t, func(t testing.TB) {
		time.Sleep(time.Hour)
		t.Cleanup(func() { time.Sleep(time.Hour) })
	})
	assert.Less(t, time.Since(began), time.Minute)
}

func TestBubblesOfADraw(t *testing.T) {
	drawn := 0
	Test(t, func(t testing.TB) {
		for i := range 2 {
			Bubble(t, func(t testing.TB) {
				if drawn++; drawn == 1 {
					t.Errorf("bubble %d of the first draw fails", i)
				}
			})
		}
	})
	if !Raced {
		assert.Equal(t, 8, drawn)
	}
}

func TestTest(t *testing.T) {
	drawn := 0
	Test(t, func(t testing.TB) {
		if drawn++; drawn == 1 {
			t.Error("the first draw fails")
		}
	})
	if !Raced {
		assert.Equal(t, 4, drawn)
	}
}
