package apiserver

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestImpossibleSpeeds(t *testing.T) {
	for _, speed := range []float64{0, -1, math.NaN(), math.Inf(1), 1e12, 1e-300} {
		_, err := NewBindbee(speed)
		require.ErrorIs(t, err, errSpeed, speed)
		_, err = NewBundleport(BundleportLimits{}, speed)
		require.ErrorIs(t, err, errSpeed, speed)
		_, err = NewPullbay(Free, speed)
		require.ErrorIs(t, err, errSpeed, speed)
		_, err = NewBCB(speed)
		require.ErrorIs(t, err, errSpeed, speed)
	}
	_, err := NewBCB(1e5) // the hour would do, the pace not
	require.ErrorIs(t, err, errSpeed)
}

func TestChangesAreChecked(t *testing.T) {
	wrong := func(c *Config) { c.Faults.Share = 2 }
	_, err := NewBindbee(1, wrong)
	require.Error(t, err)
	_, err = NewPullbay(Free, 1, wrong)
	require.Error(t, err)
}
