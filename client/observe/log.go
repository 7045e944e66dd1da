package observe

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/throttle"
)

// Log returns an observer that writes each event to l, or to [slog.Default] if l is
// nil: refusals, abandoned requests and a store of a fleet that is away at level Warn, retries,
// newly learned limits and a store that is back at Info, everything else at Debug. It passes the context of the request, so that a handler
// can add its trace. It logs only the method and host of a request, because paths and
// queries may hold secrets.
func Log(l *slog.Logger) func(client.Event) {
	if l == nil {
		l = slog.Default()
	}
	return func(e client.Event) {
		ctx := context.Background()
		if e.Request != nil {
			ctx = e.Request.Context()
		}
		if level := levelOf(e.Kind); l.Enabled(ctx, level) {
			l.LogAttrs(ctx, level, "forbear: "+string(e.Kind), attrs(&e)...)
		}
	}
}

func levelOf(kind client.EventKind) slog.Level {
	switch kind {
	case client.EventRefuse, client.EventGiveUp, client.EventStoreAway:
		return slog.LevelWarn
	case client.EventLearn, client.EventRetry, client.EventStoreBack:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// shownKey is how much of a key is shown: enough to tell keys apart.
const shownKey = 12

func attrs(e *client.Event) []slog.Attr {
	to := make([]slog.Attr, 0, 12)
	if e.Request != nil {
		to = append(to, slog.String("method", e.Request.Method), slog.String("host", e.Request.URL.Host))
	}
	to = append(to, slog.String("key", e.Key[:min(shownKey, len(e.Key))]))
	if e.Attempt > 0 {
		to = append(to, slog.Int("attempt", e.Attempt))
	}
	if e.Limit != "" {
		to = append(to, slog.String("limit", e.Limit))
	}
	if !e.Until.IsZero() {
		to = append(to, slog.Time("until", e.Until.Round(time.Millisecond)))
	}
	if e.Ahead != 0 {
		to = append(to, slog.Int("ahead", e.Ahead))
	}
	if e.Delay != 0 {
		to = append(to, slog.Duration("delay", e.Delay))
	}
	if e.Status != 0 {
		to = append(to, slog.Int("status", e.Status))
	}
	if e.Err != nil {
		to = append(to, slog.String("error", e.Err.Error()))
	}
	if len(e.Limits) > 0 {
		to = append(to, limits(e.Limits))
	}
	return to
}

// limits returns a group with one group for each limit.
func limits(windows []throttle.WindowStatus) slog.Attr {
	groups := make([]any, len(windows))
	for i, w := range windows {
		groups[i] = slog.Group(label(w, i), describe(&w)...)
	}
	return slog.Group("limits", groups...)
}

func label(w throttle.WindowStatus, i int) string {
	if w.Name == "" {
		return strconv.Itoa(i)
	}
	return w.Name
}

func describe(w *throttle.WindowStatus) []any {
	var to []any
	if w.Limit >= 0 {
		to = append(to, slog.Int("limit", w.Limit), slog.Int("left", w.Credit))
	}
	if w.Length > 0 {
		to = append(to, slog.Duration("length", w.Length))
	}
	if w.Rate > 0 {
		to = append(to, slog.Float64("rate", w.Rate))
	}
	if !w.Latest.IsZero() {
		to = append(to, slog.Time("opens", w.Latest.Round(time.Millisecond)))
	}
	if w.Kind != throttle.Unknown {
		to = append(to, slog.String("kind", string(w.Kind)), slog.Bool("sure", w.Sure))
	}
	if w.Others {
		to = append(to, slog.Float64("share", w.Share))
	}
	return to
}
