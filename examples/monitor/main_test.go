package main

import (
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
	"github.com/forbear-go/forbear/internal/chance"
)

// On a busy machine the levels may pass between two lines.
func TestMonitor(t *testing.T) { chance.Test(t, monitored) }

func monitored(t testing.TB) {
	var out, file strings.Builder
	require.NoError(t, run(&out, &file, 800*time.Millisecond), "%v", &out)
	text := out.String()
	t.Log(text)
	assert.Regexp(t, `(?m)^ +[1-9]\d* +[1-5]\d +\d+\.\d s   OK$`, text, "much is left at first")
	require.Regexp(t, `(?m) s   CRITICAL$`, text)
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
		_, err = strconv.ParseFloat(row[5], 64)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{strconv.Itoa(len(rows) - 1), strconv.Itoa(credits)}, sums[1:])
	assert.Greater(t, len(rows), 60, "the limit is not felt")
}

func TestLine(t *testing.T) {
	now := time.Now()
	m := &monitor{minute: time.Minute, left: 30, level: 1}
	for ago := range 90 {
		m.sent = append(m.sent, now.Add(-time.Duration(ago)*time.Second))
	}
	assert.Equal(t, "          61     30     29.5 s   WARNING", m.line(now))
	assert.Len(t, m.sent, 61, "what is older is forgotten")
}

// A refusal is logged although nobody but the client sees it.
func TestRefusalsAreLogged(t *testing.T) {
	refused := false
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "60")
		if !refused {
			refused = true
			w.Header().Set("Retry-After-Ms", "5")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer api.Close()
	var file strings.Builder
	m := &monitor{rows: csv.NewWriter(&file)}
	hc, err := client.Wrap(&http.Client{Transport: m})
	require.NoError(t, err)
	resp, err := hc.Get(api.URL + "/items")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	m.rows.Flush()
	assert.Regexp(t, `^[^,]+,/items,429,,60,,0\n[^,]+,/items,200,,60,,0\n$`, file.String())
}
