package ratemodel

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAllCountsInAllOrNone(t *testing.T) {
	second, minute := NewFixed(1, time.Second), NewFixed(2, time.Minute)
	second.Name, minute.Name = "second", "minute"
	a := All{second, minute}

	require.True(t, a.Admit(at(.5)))
	require.False(t, a.Admit(at(.6)))
	require.Equal(t, at(1), a.Next(at(.6)).UTC())
	require.Equal(t, []Window{
		{Name: "second", Limit: 1, Remaining: 0, Reset: at(1), Length: time.Second},
		{Name: "minute", Limit: 2, Remaining: 1, Reset: at(60), Length: time.Minute},
	}, inUTC(a.Windows(nil, at(.6))), "the refused request cost the minute nothing")

	require.True(t, a.Admit(at(1)))
	require.Equal(t, at(60), a.Next(at(1)).UTC(), "the second has room at 2, the minute has not")
}

func TestAllTellsOfRefusals(t *testing.T) {
	second, minute := NewFixed(1, time.Second), NewFixed(5, time.Minute)
	minute.RefusalsCount = true
	a := All{second, minute}
	a.Admit(at(0))
	a.Admit(at(.1)) // refused by the second
	require.Equal(t, 3, minute.Windows(nil, at(.1))[0].Remaining)
	require.Equal(t, 0, second.Windows(nil, at(.1))[0].Remaining)
}

func TestAllNextIsTheLatestOfTheModels(t *testing.T) {
	a := All{NewSlidingLog(1, 2*time.Second), NewFixed(1, 3*time.Second)}
	require.True(t, a.Admit(at(2)))
	require.Equal(t, at(4), a.Next(at(2)).UTC())
	require.True(t, a.Admit(at(4)))
	require.Equal(t, at(6), a.Next(at(4)).UTC())
}

func TestEmptyAllAdmitsEverything(t *testing.T) {
	require.True(t, All{}.Admit(t0))
	require.Equal(t, t0, All{}.Next(t0))
}

func inUTC(ws []Window) []Window {
	for i := range ws {
		ws[i].Reset = ws[i].Reset.UTC()
	}
	return ws
}
