package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// The files in testdata, from the folder of this module.
const (
	RowsFile   = "testdata/rows.json"
	SeriesFile = "testdata/series.json"
)

// Pictured is the scenario that the picture shows, from its start for PicturedFor.
const (
	Pictured    = "two"
	PicturedFor = 4 * time.Minute
)

// A Series is what one client did in the pictured scenario, second by second.
type Series struct {
	Client   string `json:"client"`
	Admitted []int  `json:"admitted"`
	Refused  []int  `json:"refused"`
}

// NewSeries counts points by the second.
func NewSeries(client string, points []Point) Series {
	n := int(PicturedFor / time.Second)
	s := Series{Client: client, Admitted: make([]int, n), Refused: make([]int, n)}
	for _, p := range points {
		switch i := int(p.At / time.Second); {
		case i >= n:
		case p.Refused:
			s.Refused[i]++
		default:
			s.Admitted[i]++
		}
	}
	return s
}

// Read reads a file of Rows or Series.
func Read[T any](file string) ([]T, error) {
	text, err := os.ReadFile(file) //nolint:gosec // a file of the tree
	if err != nil {
		return nil, err
	}
	var all []T
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}

// Write writes a file of Rows or Series, one on a queue.
func Write[T any](file string, all []T) error {
	var out bytes.Buffer
	for i, v := range all {
		line, err := json.Marshal(v)
		if err != nil {
			return err
		}
		out.WriteString(map[bool]string{true: "[\n", false: ",\n"}[i == 0])
		out.Write(line)
	}
	out.WriteString("\n]\n")
	return os.WriteFile(file, out.Bytes(), 0o644) //nolint:gosec // results are for all
}
