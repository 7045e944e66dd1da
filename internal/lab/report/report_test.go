package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/lab"
	"github.com/forbear-go/forbear/internal/lab/contract"
)

// The documents say what was measured.
func TestDocuments(t *testing.T) {
	t.Chdir("..")
	files, err := build()
	require.NoError(t, err)
	for name, want := range files {
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, got), "%s is not what the lab has measured; run go run ./report", name)
	}
}

func TestFill(t *testing.T) {
	t.Chdir(t.TempDir())
	defer func(old string) { docs = old }(docs)
	docs = "."
	require.NoError(t, os.WriteFile("page.md", []byte("a\n<!-- x -->\nold\n<!-- /x -->\nb\n"), 0o644))
	name, text, err := fill("page.md", map[string]string{"x": " new "})
	require.NoError(t, err)
	assert.Equal(t, "page.md", name)
	assert.Equal(t, "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n", string(text))
	_, _, err = fill("page.md", map[string]string{"y": ""})
	assert.Error(t, err)
	_, _, err = fill("none.md", nil)
	assert.Error(t, err)
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0", 1: "100 %", .00001: "< 0.01 %", .99999: "> 99.99 %", .005: "0.50 %", .9967: "99.67 %", .0909: "9.1 %",
	} {
		assert.Equal(t, want, percent(share))
	}
}

func TestAhead(t *testing.T) {
	rows := []lab.Row{
		{Scenario: "fixed", Client: "resty", Requests: 100, Admitted: 99, Refused: 1, Possible: 99},
		{Scenario: "fixed", Client: "forbear", Requests: 98, Admitted: 98, Possible: 99},
	}
	text := ahead(rows)
	assert.Contains(t, text, "more used | 99.0 % | resty (100 %)")
	assert.NotContains(t, text, "fewer refused")
	assert.NotContains(t, text, "a shorter wait")
	rows[0].P99, rows[1].P99 = 80, 100
	assert.Contains(t, ahead(rows), "a shorter wait, p99 | 100 ms | resty (80 ms)")
	rows[0].Failed = 1 // what failed did not wait
	assert.NotContains(t, ahead(rows), "a shorter wait")
}

func TestBench(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out")
	require.NoError(t, os.WriteFile(file, []byte(`date: 2026-01-02
BenchmarkCall/a,_b-2  10  30 ns/op  7 B/key
BenchmarkCall/a,_b-2  10  10 ns/op
BenchmarkCall/a,_b-2  10  20 ns/op
`), 0o644))
	b, err := readBench(file)
	require.NoError(t, err)
	assert.Equal(t, "2026-01-02", b.on["date"])
	v, ok := b.median("Call/a, b", "ns/op")
	assert.True(t, ok)
	assert.Equal(t, 20.0, v)
	_, ok = b.median("Call/c", "ns/op")
	assert.False(t, ok)
	require.NoError(t, os.WriteFile(file, []byte("nothing\n"), 0o644))
	_, err = readBench(file)
	assert.Error(t, err)
}

func TestFaults(t *testing.T) {
	text := faults([]contract.Verdict{{Clause: contract.Clauses()[0].Name, Client: "forbear", Fault: "none"}}, nil)
	assert.Contains(t, text, "| none |")
	assert.Contains(t, text, "| ? |") // what was not tried is not kept
}

func TestSource(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.go")
	require.NoError(t, os.WriteFile(file, []byte("package a\n\nimport (\n\t\"fmt\"\n\tb \"c/d\"\n)\n\n// F is.\nfunc F() { fmt.Print(b.X) }\n"), 0o644))
	code, err := source(file, "F", "c")
	require.NoError(t, err)
	assert.Equal(t, "import b \"c/d\"\n\nfunc F() { fmt.Print(b.X) }", code)
	_, err = source(file, "G", "c")
	assert.Error(t, err)
}

func TestStanding(t *testing.T) {
	rows := []lab.Row{
		{Scenario: "fixed", Client: "resty", Requests: 100, Admitted: 99, Refused: 1, Possible: 100},
		{Scenario: "fixed", Client: "forbear", Requests: 98, Admitted: 98, Possible: 100},
	}
	assert.Contains(t, standing(rows), "| 0 | yes | 98.0 % | yes |") // who is refused that often does not count
	rows[0].Requests, rows[0].Refused = 99, 0
	assert.Contains(t, standing(rows), "| 0 | yes | 98.0 % | **no**: resty (99.0 %) |")
	rows[1].Requests, rows[1].Refused = 100, 2
	assert.Contains(t, standing(rows), "| 2.0 % | **no**: resty (0) |")
	rows[0].Admitted = 98
	assert.Contains(t, standing(rows), "| yes, with 1 more |")
	rows[0].Scenario, rows[1].Scenario = "retryafter", "retryafter"
	assert.NotContains(t, standing(rows), "%") // its limit is not announced
}

func TestRank(t *testing.T) {
	b := bench{values: map[string]map[string][]float64{
		"Call/no_wrapper":       {"ns/op": {100}},
		"Call/go-retryablehttp": {"ns/op": {250}},
		"Call/resty":            {"ns/op": {400}},
		"Call/forbear":          {"ns/op": {300}},
	}}
	assert.Equal(t, "Of the clients that retry, go-retryablehttp (0.75 of forbear's) add less time than forbear "+
		"to a request that need not wait, and resty (1.50 of forbear's) add more.", b.rank())
	b.values["Call/forbear"]["ns/op"][0] = 150
	assert.Contains(t, b.rank(), "none add less time")
	assert.Contains(t, b.rank(), "go-retryablehttp (3.00 of forbear's) and resty (6.00 of forbear's) add more")
}
