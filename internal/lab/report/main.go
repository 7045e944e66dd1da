// Report writes the tables and the picture of the documents from what the lab has
// measured. It is run from the folder of the lab:
//
//	go run ./report
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/forbear-go/forbear/internal/lab"
	"github.com/forbear-go/forbear/internal/lab/contract"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// docs is the folder of the documents, from that of the lab.
var docs = filepath.Join("..", "..", "docs")

func run() error {
	files, err := build()
	if err != nil {
		return err
	}
	for name, content := range files {
		err := os.WriteFile(name, content, 0o644) //nolint:gosec // documents are for all
		if err != nil {
			return err
		}
	}
	return nil
}

// build returns the documents as they should be, by their names.
func build() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, page := range []func() (string, []byte, error){benchmarks, peers, sdkPage, fleetPage, picture} {
		name, content, err := page()
		if err != nil {
			return nil, err
		}
		files[filepath.Join(docs, name)] = content
	}
	return files, nil
}

func benchmarks() (string, []byte, error) {
	rows, err := lab.Read[lab.Row](lab.RowsFile)
	if err != nil {
		return "", nil, err
	}
	costs, err := readBench("testdata/cost.txt")
	if err != nil {
		return "", nil, err
	}
	versions, err := lab.Versions("go.mod")
	if err != nil {
		return "", nil, err
	}
	servers, err := lab.Read[lab.Served](lab.ServedFile)
	if err != nil {
		return "", nil, err
	}
	harm, err := notHonest()
	if err != nil {
		return "", nil, err
	}
	return fill("benchmarks.md", map[string]string{
		"harm":      harm,
		"servers":   served(servers),
		"clients":   clients(versions),
		"overview":  overview(rows),
		"ahead":     ahead(rows),
		"machine":   costs.machine(),
		"cost":      costs.calls(),
		"rank":      costs.rank(),
		"growth":    costs.growth(),
		"standing":  standing(rows),
		"scenarios": details(rows),
	})
}

func peers() (string, []byte, error) {
	verdicts, err := lab.Read[contract.Verdict]("testdata/contract.json")
	if err != nil {
		return "", nil, err
	}
	versions, err := lab.Versions("go.mod")
	if err != nil {
		return "", nil, err
	}
	return fill("peers.md", map[string]string{"faults": faults(verdicts, versions)})
}

func picture() (string, []byte, error) {
	series, err := lab.Read[lab.Series](lab.SeriesFile)
	if err != nil {
		return "", nil, err
	}
	rows, err := lab.Read[lab.Row](lab.RowsFile)
	if err != nil {
		return "", nil, err
	}
	content, err := drawing(series, rows)
	return filepath.Join("img", "peers.svg"), content, err
}
