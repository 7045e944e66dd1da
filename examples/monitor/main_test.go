package main

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

func TestMonitor(t *testing.T) {
	minute = 800 * time.Millisecond
	var out, file strings.Builder
	require.NoError(t, run(t.Context(), &out, &file), "%v", &out)
	text := out.String()
	t.Log(text)
	for _, level := range []string{"OK", "CRITICAL"} {
		assert.Regexp(t, `(?m) s   `+level+`$`, text)
	}
	assert.Regexp(t, `(?m) s   OK$`, text[strings.LastIndex(text, "CRITICAL"):], "all is well again in the end")

	sums := regexp.MustCompile(`(\d+) requests, 0 refused, (\d+) credits`).FindStringSubmatch(text)
	require.NotNil(t, sums)
	rows, err := csv.NewReader(strings.NewReader(file.String())).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, []string{"timestamp", "endpoint", "status", "remaining", "limit", "reset_time", "credits_used"}, rows[0])
	credits := 0
	for _, row := range rows[1:] {
		assert.Equal(t, []string{"/v1/app-store/reviews/all", "200", "60"}, []string{row[1], row[2], row[4]})
		n, err := strconv.Atoi(row[6])
		require.NoError(t, err)
		credits += n
		_, err = time.Parse(time.RFC3339Nano, row[5])
		require.NoError(t, err)
	}
	// Requests that the end cut short may be missing: at most one of each caller.
	sent, err := strconv.Atoi(sums[1])
	require.NoError(t, err)
	assert.InDelta(t, sent, len(rows)-1, 8)
	assert.InDelta(t, sent, credits, 8)
	assert.Greater(t, sent, 60, "the limit is not felt")
}

func TestLine(t *testing.T) {
	minute = time.Minute
	now := time.Now()
	usage := &tracker{left: 30, level: 1}
	for ago := range 90 {
		usage.sent = append(usage.sent, now.Add(-time.Duration(ago)*time.Second))
	}
	assert.Equal(t, "          61     30     29.5 s   WARNING", usage.line(now))
	assert.Len(t, usage.sent, 61, "what is older is forgotten")
}

// A refusal is logged although nobody but the client sees it.
func TestRefusalsAreLogged(t *testing.T) {
	var file strings.Builder
	usage := &tracker{rows: csv.NewWriter(&file)}
	known := func(n float64) header.Count { return header.Count{Value: n, State: header.Known} }
	reset := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var mine []string
	ctx := context.WithValue(t.Context(), rowKey{}, &mine)
	usage.observe(client.Event{
		Kind: client.EventRefuse, Time: reset.Add(-time.Minute), Status: http.StatusTooManyRequests,
		Request: httptest.NewRequestWithContext(ctx, http.MethodGet, "/items", http.NoBody),
		Told:    []header.Window{{Limit: known(60), Remaining: known(0), Reset: header.Reset{At: reset, Resolution: time.Second}}},
		Limits:  []throttle.WindowStatus{{Limit: 60}},
	})
	usage.rows.Flush()
	assert.Equal(t, "2026-01-02T03:03:05Z,/items,429,0,60,2026-01-02T03:04:05Z,0\n", file.String())
	assert.Empty(t, mine)
}
