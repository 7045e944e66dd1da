package page_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/page"
)

// contrasts returns the lowest contrast between a text and its background, as WCAG 2
// measures it, and that text.
const contrasts = `(() => {
	const channel = c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
	const light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(Number); return .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b) };
	const behind = e => { const c = e ? getComputedStyle(e).backgroundColor : "rgb(255, 255, 255)"; return c === "rgba(0, 0, 0, 0)" ? behind(e.parentElement) : c };
	let least = 99, where = "", n = 0;
	for (const e of document.body.querySelectorAll("*")) {
		if (e.matches("script, svg *") || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => b - a);
		const ratio = (a + .05) / (b + .05);
		n++;
		if (ratio < least) { least = ratio; where = e.className + ": " + e.textContent }
	}
	return {Least: least, Where: where, Texts: n};
})()`

func TestChromiumLooks(t *testing.T) {
	b := newChromium(t)
	text := busyDay(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
	defer s.Close()
	for _, scheme := range []string{"light", "dark"} {
		for width, height := range map[int]int{360: 900, 1440: 590} {
			b.look(width, height, scheme)
			b.open(s.URL)
			var over int
			b.eval(`document.documentElement.scrollWidth - innerWidth`, &over)
			require.LessOrEqual(t, over, 0, "%s at %d pixels is too wide", scheme, width)
			var contrast struct {
				Least float64
				Where string
				Texts int
			}
			b.eval(contrasts, &contrast)
			require.GreaterOrEqual(t, contrast.Least, 4.5, "%s: %s", scheme, contrast.Where)
			require.Greater(t, contrast.Texts, 50)
			if dir := os.Getenv("SCREENSHOTS"); dir != "" {
				b.shoot(filepath.Join(dir, fmt.Sprintf("page-%s-%d.png", scheme, width)))
			}
		}
	}
}

// busyDay returns a document about three keys after five minutes of virtual time.
func busyDay(t *testing.T) (text string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var p page.Page
		servers := map[string]*api{
			"api.crm.example": {limit: 200, length: time.Minute}, "api.ai.example": {limit: 60, length: 30 * time.Second, name: "requests"},
			"api.bank.example": {limit: 600, length: time.Hour, name: "hourly"},
		}
		hc, h := observed(t, &p, roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := servers[req.URL.Host].RoundTrip(req)
			time.Sleep(300 * time.Millisecond)
			return resp, err
		}), client.WithKeyNames((*http.Request).UserAgent))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		random := rand.New(rand.NewPCG(1, 2))
		load := func(host, name string, callers int, pause time.Duration) {
			for range callers {
				seed := random.Uint64()
				wg.Go(func() {
					own := rand.New(rand.NewPCG(seed, 1))
					for ctx.Err() == nil {
						time.Sleep(time.Duration(own.Float64() * float64(2*pause)))
						req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/", nil)
						req.Header.Set("Authorization", name)
						req.Header.Set("User-Agent", name)
						if resp, err := hc.Do(req); err == nil {
							_ = resp.Body.Close()
						}
					}
				})
			}
		}
		load("api.crm.example", "nightly sync", 24, 4*time.Second)
		load("api.ai.example", "summaries", 4, 2500*time.Millisecond)
		load("api.bank.example", "exchange rates", 2, 4*time.Second)
		time.Sleep(3*time.Minute + 17*time.Second)
		servers["api.ai.example"].spend(60)
		time.Sleep(90 * time.Second)
		text = document(t, h, "/")
		cancel()
		wg.Wait()
	})
	return text
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// While the page is open, it shows a limit fall and open again, and a refusal. The layout
// does not shift, and the keyboard focus stays.
func TestChromiumFollows(t *testing.T) {
	b := newChromium(t)
	server := &api{limit: 5, length: 3 * time.Second}
	hostile := `<b id=hostile>bold</b>` + strings.Repeat("W", 10_000)
	var p page.Page
	hc, h := observed(t, &p, server, client.WithPacing(client.Burst), client.WithKeyNames(func(*http.Request) string { return hostile }))
	s := httptest.NewServer(h)
	defer s.Close()
	defer b.call("Page.navigate", map[string]any{"url": "about:blank"}, nil) // ends the stream
	one := func() { get(t, t.Context(), hc, "http://api.test/", "secret") }
	left := func(n int) string {
		return fmt.Sprintf(`[...document.querySelectorAll(".left")].some(e => e.textContent === "%d of 5 left")`, n)
	}
	one()
	b.look(360, 800, "light")
	b.open(s.URL)
	b.eval(`window.moved = [];
		new PerformanceObserver(list => { for (const e of list.getEntries()) for (const s of e.sources) moved.push((s.node?.className || s.node?.nodeName) + " " + s.previousRect.y + " to " + s.currentRect.y) }).observe({type: "layout-shift", buffered: true}); 0`, nil)
	var active string
	for _, want := range []string{"q", "Search", "events"} {
		b.press()
		b.eval(`(e => e.id || e.className || e.textContent)(document.activeElement)`, &active)
		require.Equal(t, want, active)
	}
	var outline string
	b.eval(`getComputedStyle(document.activeElement).outlineStyle`, &outline)
	require.Equal(t, "solid", outline)

	for range 2 { // the second picture shows the beginning of a window
		for server.remaining() > 0 {
			one()
		}
		one()
	}
	for server.remaining() > 0 {
		one()
	}
	b.until(left(0))
	b.until(`[...document.querySelectorAll(".left")].some(e => /^[1-5] of 5 left$/.test(e.textContent))`) // it opens
	b.until(`!document.querySelector(".events .refuse")`)
	for was := server.refusals(); server.refusals() == was; { // a window may begin in between
		one()
		server.spend(50)
		one()
	}
	b.until(`document.querySelector(".events .refuse")?.textContent.includes("GET refused with status 429")`)

	b.eval(`document.activeElement.className`, &active)
	require.Equal(t, "events", active, "the focus stays")
	var moved []string
	b.eval(`moved`, &moved)
	require.Empty(t, moved, "the layout shifts")
	var wide, injected int
	b.eval(`document.documentElement.scrollWidth - innerWidth`, &wide)
	require.LessOrEqual(t, wide, 0)
	b.eval(`document.querySelectorAll("#hostile").length`, &injected)
	require.Zero(t, injected)
	require.Empty(t, b.errors, "the browser complains")

	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	b.open(s.URL + "/?q=api.test")
	var shown string
	b.eval(`document.querySelector(".left").textContent + document.querySelector("noscript").children.length`, &shown)
	require.Regexp(t, `^\d of 5 left1$`, shown, "without scripts it is there too, and refreshes itself")
}

// remaining returns how many requests the server would still allow.
func (a *api) remaining() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Now().UnixNano()/int64(a.length) != a.window {
		return a.limit
	}
	return a.limit - a.used
}
