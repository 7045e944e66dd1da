package main

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/observe"
)

// A tracker knows how an API is used.
type tracker struct {
	mu    sync.Mutex
	sent  []time.Time // the requests of the last minute
	left  int         // of the limit
	level int
	rows  *csv.Writer
}

type rowKey struct{} // of a row in a context

// observe sees each decision of the client, and each response. A response that the
// client keeps to itself, to try again, is written at once; the others get their credits
// from whoever reads the body.
func (t *tracker) observe(e client.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Kind == client.EventAdmit {
		t.sent = append(t.sent, e.Time)
	}
	if len(e.Told) == 0 || len(e.Limits) == 0 {
		return
	}
	t.left = e.Limits[0].Credit
	told := e.Told[0] // what the response said, in whatever dialect
	row := []string{e.Time.Format(time.RFC3339Nano), e.Request.URL.Path, strconv.Itoa(e.Status),
		fmt.Sprint(told.Remaining.Value), fmt.Sprint(told.Limit.Value), told.Reset.At.Format(time.RFC3339Nano)}
	if mine, ok := e.Request.Context().Value(rowKey{}).(*[]string); ok && e.Kind == client.EventAnswer {
		*mine = row
	} else {
		_ = t.rows.Write(append(row, "0")) // its Error tells
	}
}

// warn is told when the level changes.
func (t *tracker) warn(l observe.Level) {
	t.mu.Lock()
	t.level = l.Below
	t.mu.Unlock()
}

// line tells of the last minute.
func (t *tracker) line(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = slices.DeleteFunc(t.sent, func(at time.Time) bool { return now.Sub(at) > minute })
	spent := minute.Seconds() * float64(t.left) / max(1, float64(len(t.sent)))
	return fmt.Sprintf("%12d %6d %8.1f s   %s", len(t.sent), t.left, spent, [...]string{"OK", "WARNING", "CRITICAL"}[t.level])
}

func (t *tracker) write(columns ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.rows.Write(columns) // its Error tells
}
