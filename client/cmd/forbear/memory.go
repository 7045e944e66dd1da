package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/forbear-go/forbear/client"
)

// readMemory reads what an earlier run knew, and finds out whether this one can write what
// it will know. A file that is not there, or that was damaged, holds nothing; the log tells
// of the latter.
func readMemory(name string, log *slog.Logger) (client.Memory, error) {
	if err := probe(filepath.Dir(name)); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(name) //nolint:gosec // the user names it
	if errors.Is(err, fs.ErrNotExist) {
		return client.Memory{}, nil
	}
	if err != nil {
		return nil, err
	}
	var m client.Memory
	if err := json.Unmarshal(text, &m); err != nil {
		log.Warn("memory ignored", "file", name, "error", err)
		return client.Memory{}, nil
	}
	return m, nil
}

// probe returns an error if no file can be made in a folder.
func probe(dir string) error {
	f, err := os.CreateTemp(dir, ".forbear-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// writeMemory writes what this run knows: the whole file, or nothing.
func writeMemory(name string, m client.Memory) error {
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".forbear-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it is of no use to anybody
	}
	return err
}
