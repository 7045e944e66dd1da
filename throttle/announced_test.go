package throttle

import (
	"net/http"
	"testing"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

func announcedBy(t *testing.T, status int, fields ...string) (*Limiter, time.Time, []Announced, bool) {
	t.Helper()
	policy := DefaultPolicy()
	policy.Reserve = Requests(5)
	now := time.Unix(1_900_000_000, 0)
	k, err := New(policy, now)
	if err != nil {
		t.Fatal(err)
	}
	ticket := k.Take(now, 1)
	h := http.Header{}
	for i := 0; i < len(fields); i += 2 {
		h.Set(fields[i], fields[i+1])
	}
	now = now.Add(100 * time.Millisecond)
	var r header.Reading
	r.Read(status, h, nil, now)
	k.Observe(now, ticket, &r)
	all, ok := k.Announced(&r)
	return k, now, all, ok
}

func TestAnnounced(t *testing.T) {
	k, now, all, ok := announcedBy(t, 200, "X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "40", "X-RateLimit-Reset", "30")
	if !ok || len(all) != 1 {
		t.Fatalf("got %v, %v", all, ok)
	}
	w := all[0]
	if w.Limit != 100 || w.Remaining != 35 || w.Reserve != 5 || w.Length != 0 {
		t.Errorf("got %+v, want a limit of 100 and, less the reserve of 5, 35 that remain, and no length that is known", w)
	}
	if w.Earliest.After(now.Add(30*time.Second)) || w.Latest.Before(now.Add(30*time.Second)) || w.Latest.After(now.Add(32*time.Second)) {
		t.Errorf("the reset is between %v and %v", w.Earliest.Sub(now), w.Latest.Sub(now))
	}
	if d := k.AskUnannounced(now, 1); d.At.After(now) {
		t.Errorf("a window that is announced holds a request until %v", d.At)
	}
	if d := k.AskUnannounced(now, 200); d.Max != 95 {
		t.Errorf("got %+v for more than the window ever allows", d)
	}
}

func TestAnnouncedNotRequests(t *testing.T) {
	for _, fields := range [][]string{
		{"X-RateLimit-Limit-Tokens", "1000", "X-RateLimit-Remaining-Tokens", "900", "X-RateLimit-Reset-Tokens", "30"},
		{"X-RateLimit-Limit", "100"},
		{"X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "40"},
	} {
		if _, _, all, ok := announcedBy(t, 200, fields...); ok {
			t.Errorf("%v: got %v", fields, all)
		}
	}
}

func TestAskUnannouncedHeedsRefusals(t *testing.T) {
	k, now, _, _ := announcedBy(t, 429, "Retry-After", "7")
	if d := k.AskUnannounced(now, 1); d.At.Before(now.Add(6 * time.Second)) {
		t.Errorf("after a refusal for 7 s the next goes after %v", d.At.Sub(now))
	}
}

// Who knows by other means what refusals taught is held by their waits, and not by the limit.
func TestAskUnlearned(t *testing.T) {
	k, now, _, _ := announcedBy(t, 200)
	if err := k.Restore(now, Lesson{Limit: 10, Length: time.Minute}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		k.Observe(now, k.Take(now, 1), &header.Reading{})
	}
	if d := k.AskUnannounced(now, 1); d.Limit != Learned || !d.At.After(now) {
		t.Errorf("once the limit is spent: %+v", d)
	}
	if d := k.AskUnlearned(now, 1); d.At.After(now) || d.Unknown {
		t.Errorf("who knows better is told %+v", d)
	}
	var r header.Reading
	r.Read(429, http.Header{"Retry-After": {"20"}}, nil, now)
	k.Observe(now, k.Take(now, 1), &r)
	if d := k.AskUnlearned(now, 1); d.At.Before(now.Add(20*time.Second)) || d.Limit != Refusal {
		t.Errorf("within the wait of a refusal: %+v", d)
	}
}
