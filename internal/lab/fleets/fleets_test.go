package fleets

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/lab"
)

var update = flag.Bool("update", false, "write what came of the cases to testdata")

// What fleets reach is what is written, or better.
func TestFleets(t *testing.T) {
	if chance.Raced {
		t.Skip("these are figures of many requests")
	}
	file := filepath.Join("..", RowsFile)
	written := map[string]Row{}
	if !*update {
		rows, err := lab.Read[Row](file)
		require.NoError(t, err)
		for _, r := range rows {
			if r.Fleet {
				written[r.Case] = r
			}
		}
	}
	var rows []Row
	for _, c := range All() {
		t.Run(c.ID, func(t *testing.T) {
			if *update {
				rows = append(rows, play(t, c, false), play(t, c, true))
				return
			}
			chance.Test(t, func(t testing.TB) { compare(t, written[c.ID], play(t, c, true)) })
		})
	}
	if *update && !t.Failed() {
		require.NoError(t, lab.Write(file, rows))
	}
}

func play(t testing.TB, c Case, shared bool) (r Row) {
	chance.Bubble(t, func(t testing.TB) {
		var err error
		r, err = Run(t.Context(), c, shared)
		require.NoError(t, err)
	})
	return r
}

// compare fails a test when a row is worse than it was, by more than draws differ.
func compare(t testing.TB, was, is Row) {
	t.Log(is)
	assert.Equal(t, was.Case, is.Case, "a case is not written: go generate .")
	assert.LessOrEqual(t, is.Refused, was.Refused+2+was.Served/1000)
	assert.GreaterOrEqual(t, is.Used, was.Used-.03)
	assert.LessOrEqual(t, is.Calls, was.Calls*1.3+.01)
	if was.Least > .5 {
		assert.GreaterOrEqual(t, is.Least, was.Least-.15)
	}
}
