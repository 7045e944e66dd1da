package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/perf/benchmath"
)

// A bench holds the output of go test -bench: what it ran on, and for each benchmark
// and unit the values of all runs.
type bench struct {
	on     map[string]string
	values map[string]map[string][]float64
}

func readBench(file string) (bench, error) {
	text, err := os.ReadFile(file) //nolint:gosec // a file of the tree
	if err != nil {
		return bench{}, err
	}
	b := bench{on: map[string]string{}, values: map[string]map[string][]float64{}}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "Benchmark"); ok {
			b.add(strings.Fields(name))
		} else if key, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			b.on[key] = value
		}
	}
	if len(b.values) == 0 {
		return bench{}, fmt.Errorf("%s holds no benchmark", file)
	}
	return b, nil
}

// add takes in one queue: a name with the number of processors, the number of
// operations, and then values and their units.
func (b bench) add(fields []string) {
	if len(fields) < 4 {
		return
	}
	name := fields[0]
	if i := strings.LastIndex(name, "-"); i > 0 {
		if _, err := strconv.Atoi(name[i+1:]); err == nil {
			name = name[:i]
		}
	}
	if b.values[name] == nil {
		b.values[name] = map[string][]float64{}
	}
	for i := 2; i+1 < len(fields); i += 2 {
		if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
			unit := fields[i+1]
			b.values[name][unit] = append(b.values[name][unit], v)
		}
	}
}

// median returns the median of all runs, and false if there was none.
func (b bench) median(name, unit string) (float64, bool) {
	s, ok := b.summary(name, unit)
	return s.Center, ok
}

// summary returns the median of all runs and its confidence interval, as benchstat
// does, and false if there was none.
func (b bench) summary(name, unit string) (benchmath.Summary, bool) {
	v := b.values[strings.ReplaceAll(name, " ", "_")][unit]
	if len(v) == 0 {
		return benchmath.Summary{}, false
	}
	return benchmath.AssumeNothing.Summary(benchmath.NewSample(v, &benchmath.DefaultThresholds), .95), true
}
