package sdks

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/lab"
)

var update = flag.Bool("update", false, "write what came of the calls to testdata")

// Twenty callers at once get the right results through each SDK, from a server that
// enforces its limits. Where those are announced, none of their requests is refused;
// the SDK's own retries, if left on, have nothing to do.
func TestSDKs(t *testing.T) {
	file := filepath.Join("..", RowsFile)
	written, err := lab.Read[Row](file)
	require.NoError(t, err)
	want := map[string]Row{}
	for _, row := range written {
		want[row.SDK+"/"+string(row.Setup)] = row
	}
	var rows []Row
	for _, sdk := range All() {
		for _, s := range Setups() {
			name := sdk.Name + "/" + string(s)
			t.Run(name, func(t *testing.T) {
				if chance.Raced && s != Advised {
					t.Skip("takes too long with the race detector")
				}
				var row Row
				f := func(t testing.TB) {
					row = try(t, sdk, s)
					if !*update {
						compare(t, want[name], row)
					}
				}
				if sdk.Announced || s == Alone {
					f(t)
				} else {
					chance.Test(t, f) // the draw of some waits is unlucky
				}
				rows = append(rows, row)
			})
		}
	}
	if *update && !t.Failed() {
		require.NoError(t, lab.Write(file, rows))
	}
}

func try(t testing.TB, sdk SDK, s Setup) (row Row) {
	chance.Bubble(t, func(t testing.TB) {
		var errs []error
		var err error
		row, errs, err = Run(t.Context(), sdk, s)
		require.NoError(t, err)
		if s == Advised {
			assert.Empty(t, errs)
		}
	})
	if s != Alone && sdk.Announced {
		tries := 0
		if s == LeftOn {
			tries = 5 // now and then a call that the SDK does not let wait tries whether nothing is left for an hour
		}
		assert.LessOrEqual(t, row.Refused, tries)
		assert.InDelta(t, row.Calls, row.Requests+row.Failed, float64(tries)) // each is sent once, or held back
	}
	if s == Advised {
		assert.Equal(t, row.Calls+row.Refused, row.Requests)
		assert.LessOrEqual(t, row.Closed, 5) // four retries, as the client promises
		assert.LessOrEqual(t, row.Down, 5)
	}
	return row
}

// compare fails a test when a row is not what it was. Where requests are refused, waits
// are drawn, and the counts may differ a little.
func compare(t testing.TB, want, got Row) {
	near := .02 * float64(want.Calls)
	if want.Setup == Alone {
		near = .1 * float64(want.Calls)
	}
	assert.Equal(t, want.Calls, got.Calls)
	assert.Equal(t, want.Down, got.Down)
	if want.Closed < 50 {
		assert.Equal(t, want.Closed, got.Closed)
	} else { // it went on until its deadline
		assert.InEpsilon(t, want.Closed, got.Closed, .1)
	}
	assert.InDelta(t, want.Failed, got.Failed, near)
	assert.InDelta(t, want.Requests, got.Requests, near)
	assert.InDelta(t, want.Refused, got.Refused, near)
	took := .1
	if want.Refused > 0 {
		took = .25
	}
	assert.InEpsilon(t, want.Took, got.Took, took)
}
