package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/throttle"
)

func event(kind client.EventKind, key string) client.Event {
	return client.Event{
		Kind: kind, Key: key, Time: time.Unix(1_700_000_000, 0), Attempt: 1,
		Request: &http.Request{Method: http.MethodGet, URL: &url.URL{Host: "api.test"}},
	}
}

// The memory is bounded for any number of keys, and records of keys in use are kept.
func TestRecordsAreForgotten(t *testing.T) {
	var p Page
	for i := range 5 * maxRecords {
		p.Observe(event(client.EventAdmit, strconv.Itoa(i)))
		if i%1000 == 0 {
			p.Observe(event(client.EventAdmit, "busy"))
		}
	}
	require.LessOrEqual(t, len(p.now)+len(p.old), 2*maxRecords)
	require.Nil(t, p.find("0"))
	require.Equal(t, 50, p.find("busy").sent)
}

func TestObserveAllocatesNothing(t *testing.T) {
	var p Page
	p.Observe(event(client.EventAdmit, "key"))
	e := event(client.EventAdmit, "key")
	require.Zero(t, testing.AllocsPerRun(100, func() { p.Observe(e) }))
}

func BenchmarkObserve(b *testing.B) {
	var p Page
	e := event(client.EventAdmit, "key")
	b.ReportAllocs()
	for b.Loop() {
		p.Observe(e)
	}
}

func TestOnlyTheLastEntriesAreKept(t *testing.T) {
	var r record
	for i := range 20 {
		e := event(client.EventRefuse, "key")
		e.Status = 400 + i
		r.add(&e)
	}
	told := r.told()
	require.Len(t, told, entryCount)
	require.Equal(t, 419, told[0].status)
	require.Equal(t, 412, told[entryCount-1].status)
}

func TestHistoryRollsOn(t *testing.T) {
	var r record
	e := event(client.EventAdmit, "key")
	r.add(&e)
	require.Equal(t, 1, r.history(e.Time)[slotCount-1].Sent)
	require.Equal(t, 1, r.history(e.Time.Add((slotCount - 1) * slotLength))[0].Sent)
	require.Equal(t, 1, r.recent(e.Time.Add((slotCount-1)*slotLength)))
	require.NotContains(t, r.history(e.Time.Add(slotCount*slotLength)), Slot{Sent: 1})
	require.Zero(t, r.recent(e.Time.Add(slotCount*slotLength)))
}

// The page never shows the text of an error, which may quote a URL.
func TestReasons(t *testing.T) {
	for want, err := range map[string]error{
		"": nil,
		"it would have had to wait longer than allowed": client.ErrMaxWait,
		"it was not to wait":                            client.ErrNoWait,
		"the queue is full":                             client.ErrFull,
		"it made room for a newer one":                  client.ErrDropped,
		"the circuit is open":                           client.ErrCircuitOpen,
		"the client is closed":                          client.ErrClosed,
		"it could not go before its deadline":           context.DeadlineExceeded,
		"the caller canceled it":                        context.Canceled,
		"no retry was left":                             &backoff.StopError{},
		"of a network error":                            errors.New("dial https://u:secret@api.test/"),
	} {
		require.Equal(t, want, reason(err))
		if err != nil {
			require.Equal(t, want, reason(fmt.Errorf("wrapped: %w", err)))
		}
	}
}

func TestWords(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	for want, e := range map[string]entry{
		"GET waits for limit minute, 3 ahead, until 15:04:05": {kind: client.EventWait, limit: "minute", ahead: 3, until: at},
		"GET waits": {kind: client.EventWait},
		"GET refused with status 429 for limit a\ufffdb":   {kind: client.EventRefuse, status: 429, limit: "a\nb"},
		"New limits seen (2 times)":                        {kind: client.EventLearn, status: 200, times: 2},
		"GET is retried after 1.5 s because of status 503": {kind: client.EventRetry, delay: 1500 * time.Millisecond, status: 503, until: at},
		"GET is retried after 20 ms because of a network error": {
			kind: client.EventRetry, delay: 20 * time.Millisecond, why: reason(errors.New("reset")),
		},
		"GET is retried because of status 429":   {kind: client.EventRetry, status: 429},
		"GET given up because the queue is full": {kind: client.EventGiveUp, why: reason(client.ErrFull)},
	} {
		e.method = http.MethodGet
		require.Equal(t, want, e.text())
	}
}

func TestOpens(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for want, l := range map[string]Limit{
		"": {}, "opens in 12 s · fixed window of 1 min": {Opens: now.Add(12 * time.Second), Kind: "fixed", Seconds: 60},
		"window of 1 h": {Seconds: 3600, Opens: now}, "bucket that fills in 1 min": {Kind: "bucket", Seconds: 60},
		"concurrent · others spend it too": {Kind: "concurrent", Others: true},
	} {
		require.Equal(t, want, opens(now, l))
	}
}

func TestLimitOf(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, c := range []struct {
		w     throttle.WindowStatus
		left  int
		opens bool
	}{
		{throttle.WindowStatus{Limit: 60, Credit: 5, Latest: now.Add(1)}, 5, true},
		{throttle.WindowStatus{Limit: 60, Credit: 5}, 5, false},
		{throttle.WindowStatus{Limit: 60, Credit: -5}, 0, false},
		{throttle.WindowStatus{Limit: 60, Credit: 99}, 60, false},
		{throttle.WindowStatus{Limit: -1}, -1, false},
		{throttle.WindowStatus{Limit: -1, Latest: now}, -1, false},
		{throttle.WindowStatus{Limit: 60, Credit: 5, Latest: now}, 60, false},
		{throttle.WindowStatus{Limit: 60, Credit: 5, Latest: now, Kind: throttle.Fixed}, 60, false},
		{throttle.WindowStatus{Limit: 60, Credit: 5, Latest: now, Kind: throttle.Rolling}, 5, false},
	} {
		l := limitOf(now, &c.w)
		require.Equal(t, c.left, l.Left, "%+v", c.w)
		require.Equal(t, c.opens, !l.Opens.IsZero(), "%+v", c.w)
	}
}

func TestEmptyAt(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	opens := now.Add(10 * time.Second)
	minute := throttle.WindowStatus{Limit: 60, Credit: 5, Latest: opens, Length: time.Minute}
	for _, c := range []struct {
		waiting int
		windows []throttle.WindowStatus
		want    time.Duration
	}{
		{5, []throttle.WindowStatus{minute}, 0},
		{6, []throttle.WindowStatus{minute}, 10 * time.Second},
		{65, []throttle.WindowStatus{minute}, 10 * time.Second},
		{66, []throttle.WindowStatus{minute}, 70 * time.Second},
		{66, []throttle.WindowStatus{minute, {Rate: 0.5, Limit: -1}}, 132 * time.Second},
	} {
		require.Equal(t, now.Add(c.want), emptyAt(now, c.waiting, c.windows), "%+v", c)
	}
	require.Zero(t, emptyAt(now, 7, []throttle.WindowStatus{{Limit: -1}}))
	require.Zero(t, emptyAt(now, 7, nil))
	never := emptyAt(now, 7, []throttle.WindowStatus{{Rate: 1e-300}})
	require.Less(t, never.Sub(now), 11*365*24*time.Hour)
}
