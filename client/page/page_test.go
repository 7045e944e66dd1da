package page_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/page"
	"github.com/forbear-go/forbear/queue"
)

// observed returns a client of base and its page.
func observed(t testing.TB, p *page.Page, base http.RoundTripper, opts ...client.Option) (*http.Client, http.Handler) {
	t.Helper()
	transport, err := client.NewTransport(base, append(opts, client.WithObserver(p.Observe))...)
	require.NoError(t, err)
	t.Cleanup(transport.Close)
	return &http.Client{Transport: transport}, p.Handler(transport)
}

func get(t testing.TB, ctx context.Context, hc *http.Client, url, token string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := hc.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

// ask returns the response of the page.
func ask(t testing.TB, h http.Handler, method, target, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func view(t testing.TB, h http.Handler, target string) page.View {
	t.Helper()
	var v page.View
	w := ask(t, h, http.MethodGet, target, "application/json")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v))
	return v
}

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func document(t testing.TB, h http.Handler, target string) string {
	t.Helper()
	return ask(t, h, http.MethodGet, target, browser).Body.String()
}

// The limit falls, requests wait for it, and it opens again.
func TestALimitFallsAndOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page.Page
		hc, h := observed(t, &p, &api{limit: 20, length: time.Minute}, client.WithPacing(client.Burst))
		require.Empty(t, view(t, h, "/").Keys)
		for range 5 {
			get(t, t.Context(), hc, "http://api.test/users?page=xyzzy", "secret")
		}
		k := view(t, h, "/").Keys[0]
		require.Equal(t, "api.test", k.Host)
		require.Len(t, k.Limits, 1)
		require.Equal(t, []int{20, 15}, []int{k.Limits[0].Max, k.Limits[0].Left})
		require.Equal(t, page.Counts{Sent: 5}, k.Counts)
		require.Contains(t, document(t, h, "/"), "15 of 20 left")

		for range 15 {
			get(t, t.Context(), hc, "http://api.test/users", "secret")
		}
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() { get(t, t.Context(), hc, "http://api.test/users", "secret") })
		}
		synctest.Wait()
		time.Sleep(time.Second)
		v := view(t, h, "/")
		k = v.Keys[0]
		require.Equal(t, []int{30, 30, 0}, []int{v.Waiting, k.Waiting, k.Limits[0].Left})
		require.WithinDuration(t, time.Now().Add(119*time.Second), k.Empty, 2*time.Second, "20 go in a minute, 10 in two")
		require.WithinDuration(t, time.Now().Add(59*time.Second), k.Limits[0].Opens, 2*time.Second)
		text := document(t, h, "/")
		require.Contains(t, text, "0 of 20 left")
		require.Contains(t, text, "Queue empty in about 2 min")
		require.Contains(t, text, "GET waits for limit")
		require.Contains(t, text, `class="gone"`)

		wg.Wait()
		k = view(t, h, "/").Keys[0]
		require.Equal(t, page.Counts{Sent: 50}, k.Counts)
		require.InDelta(t, 60, k.P50, 6)
		require.InDelta(t, 120, k.P95, 6)
		sent := 0
		for _, s := range k.History {
			sent += s.Sent
		}
		require.Equal(t, 50, sent)
		require.NotContains(t, document(t, h, "/"), "secret")
		require.NotContains(t, document(t, h, "/"), "xyzzy")
		require.Contains(t, document(t, h, "/"), "10 of 20 left")
	})
}

// Limits that the program declares are shown with the keys whose requests they count.
func TestDeclaredLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page.Page
		hc, h := observed(t, &p, &api{limit: 20, length: time.Minute}, client.WithPacing(client.Burst),
			client.WithRule(queue.Rule{Name: "own", Limits: []queue.Quota{queue.PerHour(10)}}),
			client.WithRule(queue.Rule{Name: "host", Scope: queue.PerHost, Limits: []queue.Quota{queue.PerHour(100)}}),
			client.WithRule(queue.Rule{Name: "total", Scope: queue.Global, Limits: []queue.Quota{queue.PerHour(1000)}}))
		for range 2 {
			get(t, t.Context(), hc, "http://a.test/", "one")
		}
		get(t, t.Context(), hc, "http://a.test/", "two")
		get(t, t.Context(), hc, "http://b.test/", "three")
		want := []string{"own, 10 per hour: 8 of 10", "host, 100 per hour of the host: 97 of 100", "total, 1000 per hour of all: 996 of 1000"}
		for range 3 { // the order must not change
			time.Sleep(time.Second)
			for _, k := range view(t, h, "/").Keys {
				require.Len(t, k.Limits, 4)
				if k.Sent != 2 {
					continue
				}
				var told []string
				for _, l := range k.Limits[1:] {
					name := l.Name
					if l.Scope != "" {
						name += " of " + l.Scope
					}
					told = append(told, fmt.Sprintf("%s: %d of %d", name, l.Left, l.Max))
					require.Equal(t, "rule", l.Kind)
					require.WithinDuration(t, time.Now().Add(time.Hour), l.Opens, 10*time.Second)
				}
				require.Equal(t, want, told)
			}
		}
		text := document(t, h, "/")
		require.Contains(t, text, "8 of 10 left")
		require.Contains(t, text, "all of it in 59 min 57 s · rule")
		require.NotContains(t, text, "No limit is known yet")
	})
}

func TestARefusalIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &api{limit: 20, length: time.Minute}
		var p page.Page
		hc, h := observed(t, &p, server, client.WithPacing(client.Burst), client.WithKeyNames(func(r *http.Request) string { return "agent " + r.UserAgent() }))
		get(t, t.Context(), hc, "http://api.test/", "secret")
		server.spend(50)
		get(t, t.Context(), hc, "http://api.test/", "secret")
		k := view(t, h, "/").Keys[0]
		require.Equal(t, "agent ", k.Name)
		require.Equal(t, page.Counts{Sent: 3, Refused: 1, Retried: 1}, k.Counts)
		var told []string
		for _, e := range k.Events {
			told = append(told, e.Text)
		}
		require.Contains(t, strings.Join(told, "\n"), "GET refused with status 429")
		require.Contains(t, document(t, h, "/"), "GET refused with status 429")
	})
}

func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page.Page
		hc, h := observed(t, &p, &api{limit: 1, length: time.Minute}, client.WithMaxWait(time.Second))
		get(t, t.Context(), hc, "http://api.test/", "secret")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.test/", nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer secret")
		for range 2 {
			_, err = hc.Do(req)
			require.ErrorIs(t, err, client.ErrMaxWait)
		}
		k := view(t, h, "/").Keys[0]
		require.Equal(t, page.Counts{Sent: 1, GivenUp: 2}, k.Counts)
		require.Contains(t, k.Events[0].Text, "GET given up for limit default because it would have had to wait longer than allowed")
		require.Contains(t, k.Events[0].Text, "(2 times)")
	})
}

// Names that a server or a caller chose are shown as short text in one line.
func TestHostileNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hostile := `<script>alert(1)</script>` + "\x00\n\u202e" + strings.Repeat("A", 10_000)
		var p page.Page
		hc, h := observed(t, &p, &api{limit: 20, length: time.Minute, name: `<img src=x onerror=alert(2)>`}, client.WithKeyNames(func(*http.Request) string { return hostile }))
		get(t, t.Context(), hc, "http://api.test/", "secret")
		text := document(t, h, "/?q=%3Cscript%3E")
		require.NotContains(t, text, "<script>alert")
		require.NotContains(t, text, "<img")
		require.Contains(t, text, "&lt;script&gt;alert(1)&lt;/script&gt;\ufffd\ufffd\ufffdAAAA")
		require.Contains(t, text, "&lt;img src=x")
		require.NotContains(t, text, "\u202e")
		require.Less(t, len(text), 20_000)
		v := view(t, h, "/")
		require.Len(t, []rune(v.Keys[0].Name), 81)
	})
}

func TestForms(t *testing.T) {
	var p page.Page
	_, h := observed(t, &p, &api{limit: 1, length: time.Minute})
	for accept, want := range map[string]string{
		"": "text/html; charset=utf-8", browser: "text/html; charset=utf-8", "*/*": "text/html; charset=utf-8",
		"application/json": "application/json", "Application/JSON;q=0.9, text/html": "application/json",
		"text/html, application/json": "text/html; charset=utf-8",
	} {
		w := ask(t, h, http.MethodGet, "/", accept)
		require.Equal(t, want, w.Header().Get("Content-Type"), accept)
		require.Equal(t, "Accept", w.Header().Get("Vary"))
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Equal(t, strconv.Itoa(w.Body.Len()), w.Header().Get("Content-Length"))
		head := ask(t, h, http.MethodHead, "/", accept)
		require.Equal(t, http.StatusOK, head.Code)
		require.Zero(t, head.Body.Len())
		require.Equal(t, want, head.Header().Get("Content-Type"))
	}
	require.Equal(t, "text/event-stream", ask(t, h, http.MethodHead, "/", "text/event-stream").Header().Get("Content-Type"))
	w := ask(t, h, http.MethodPost, "/", browser)
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
}

// The document loads nothing from other hosts, and works without scripts.
func TestTheDocumentStandsAlone(t *testing.T) {
	var p page.Page
	_, h := observed(t, &p, &api{limit: 1, length: time.Minute})
	w := ask(t, h, http.MethodGet, "/", browser)
	text := w.Body.String()
	require.NotRegexp(t, `(?i)(https?:)?//[a-z]`, strings.ReplaceAll(text, "// Each", ""))
	require.NotContains(t, text, "style=")
	require.Contains(t, text, `<noscript><meta http-equiv="refresh"`)
	require.Regexp(t, `^default-src 'none';.*script-src 'sha256-[A-Za-z0-9+/]{43}='$`, w.Header().Get("Content-Security-Policy"))
}

// Of ten thousand keys, the page shows the busiest, and only those cost time to show.
func TestManyKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page.Page
		hc, h := observed(t, &p, &api{limit: 1_000_000, length: time.Hour}, client.WithKeyNames(func(r *http.Request) string { return "tenant " + r.Header.Get("Authorization")[7:] }))
		for i := range 10_000 {
			get(t, t.Context(), hc, "http://api.test/", strconv.Itoa(i))
		}
		for range 3 {
			get(t, t.Context(), hc, "http://api.test/", "7777")
		}
		v := view(t, h, "/?q=tenant")
		require.Equal(t, 10_000, v.Found)
		require.Len(t, v.Keys, 50)
		require.Equal(t, "tenant 7777", v.Keys[0].Name)
		require.Less(t, len(document(t, h, "/")), 300_000)
		require.Contains(t, document(t, h, "/"), "The 50 busiest are shown.")
		require.Len(t, view(t, h, "/?n=3").Keys, 3)
		require.Len(t, view(t, h, "/?n=99999").Keys, 1000)
		require.Len(t, view(t, h, "/?n=-1").Keys, 50)
		found := view(t, h, "/?q=TENANT+123")
		require.Equal(t, 11, found.Found)
		require.Len(t, view(t, h, "/?q="+found.Keys[0].ID).Keys, 1)
		require.Empty(t, view(t, h, "/?q=nobody").Keys)
	})
}

func BenchmarkTenThousandKeys(b *testing.B) {
	var p page.Page
	hc, h := observed(b, &p, &api{limit: 1_000_000, length: time.Hour})
	for i := range 10_000 {
		get(b, b.Context(), hc, "http://api.test/", strconv.Itoa(i))
	}
	for b.Loop() {
		_ = document(b, h, "/")
	}
}

// A page that observes nothing still shows the limits.
func TestHandlerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, err := client.NewTransport(&api{limit: 20, length: time.Minute})
		require.NoError(t, err)
		h := page.Handler(transport)
		get(t, t.Context(), &http.Client{Transport: transport}, "http://api.test/", "secret")
		k := view(t, h, "/").Keys[0]
		require.Equal(t, 19, k.Limits[0].Left)
		require.Equal(t, "api.test", k.Host)
		require.Equal(t, page.Counts{Sent: 1}, k.Counts)
		require.Contains(t, document(t, h, "/"), "key "+k.ID)
	})
}
