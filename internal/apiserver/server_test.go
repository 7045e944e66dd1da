package apiserver

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// on is a change of a ready-made server: it runs by c.
func on(c *clock) func(*Config) { return func(cfg *Config) { cfg.Now = c.Now } }

func fixed(limit int, length time.Duration) func(string) ratemodel.Model {
	return func(string) ratemodel.Model { return ratemodel.NewFixed(limit, length) }
}

func ask(h http.Handler, method, target, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	if key != "" {
		r.Header.Set("X-Api-Key", key)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, key string) *httptest.ResponseRecorder { return ask(h, "GET", "/", key) }

func TestImpossibleConfigs(t *testing.T) {
	for name, c := range map[string]Config{
		"no model":       {Rules: []Rule{{}}},
		"negative share": {Faults: Faults{Share: -.1}},
		"share above 1":  {Faults: Faults{Share: 1.1}},
		"share NaN":      {Faults: Faults{Share: math.NaN()}},
		"fault of 200":   {Faults: Faults{Status: 200}},
	} {
		_, err := New(c)
		assert.ErrorContains(t, err, "apiserver: ", name)
	}
}

func TestNoRulesNoLimits(t *testing.T) {
	s, err := New(Config{})
	require.NoError(t, err)
	w := get(s, "")
	require.Equal(t, 200, w.Code)
	require.JSONEq(t, `{"ok":true}`, w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Len(t, w.Header(), 2, "Content-Type and Date")
}

func TestKeysDoNotShare(t *testing.T) {
	c := newClock()
	s, err := New(Config{Now: c.Now, Rules: []Rule{{Model: fixed(1, time.Minute)}}})
	require.NoError(t, err)
	require.Equal(t, 200, get(s, "a").Code)
	require.Equal(t, 429, get(s, "a").Code)
	require.Equal(t, 200, get(s, "b").Code)
	c.move(time.Minute)
	require.Equal(t, 200, get(s, "a").Code)

	require.Equal(t, Counts{Requests: 3, Admitted: 2, Refused: 1}, s.KeyCounts("a"))
	require.Equal(t, Counts{Requests: 1, Admitted: 1}, s.KeyCounts("b"))
	require.Equal(t, Counts{}, s.KeyCounts("c"))
	require.Equal(t, Counts{Requests: 4, Admitted: 3, Refused: 1}, s.Counts())
	require.Equal(t, s.KeyCounts("a"), s.Counts().Sub(s.KeyCounts("b")))
}

func TestCredential(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	require.Empty(t, Credential(r))
	for _, h := range [][2]string{{"Authorization", "Bearer x"}, {"X-Api-Key", "k"}, {"X-Connector-Token", "c"}} {
		r.Header.Set(h[0], h[1])
		require.Equal(t, h[1], Credential(r), "the narrower one wins")
	}
}

// A request obeys every rule that matches, and a refusal by one costs nothing in
// the others.
func TestRulesAllOrNone(t *testing.T) {
	c := newClock()
	isPost := func(r *http.Request) bool { return r.Method == "POST" }
	everybody := func(*http.Request) string { return "" }
	xrl := Dialect{Fields: XRateLimit, Form: Delta}
	s, err := New(Config{Now: c.Now, Rules: []Rule{
		{Model: fixed(3, time.Minute), Dialect: xrl},
		{Model: fixed(1, 8*time.Second), Match: isPost, Key: everybody, Dialect: Dialect{RetryAfter: Seconds}},
	}})
	require.NoError(t, err)
	require.Equal(t, 200, ask(s, "POST", "/", "a").Code)
	refused := ask(s, "POST", "/", "b")
	require.Equal(t, 429, refused.Code, "the pace is everybody's")
	require.Equal(t, "8", refused.Header().Get("Retry-After"))
	require.Equal(t, "3", refused.Header().Get("X-RateLimit-Remaining"), "b has spent nothing")
	require.Equal(t, "2", get(s, "b").Header().Get("X-RateLimit-Remaining"))

	// Both closed: the one that opens last speaks.
	get(s, "a")
	get(s, "a")
	require.Empty(t, ask(s, "POST", "/", "a").Header().Get("Retry-After"))
	c.move(57 * time.Second)
	ask(s, "POST", "/", "b") // the pace now closes later than the window of a
	require.Equal(t, "7", ask(s, "POST", "/", "a").Header().Get("Retry-After"))

	// What one key alone may spend, at any request: the first rule, unspent.
	require.Equal(t, 3, ratemodel.Greedy(s.Fresh("a"), c.Now(), c.Now().Add(time.Second), 0))
}

func TestFaultsBeforeTheLimiter(t *testing.T) {
	const n = 2000
	c := newClock()
	s, err := New(Config{
		Now:    c.Now,
		Faults: Faults{Share: .1, Seed: 1},
		Rules:  []Rule{{Model: fixed(1e6, time.Hour), Dialect: Dialect{Fields: XRateLimit}}},
	})
	require.NoError(t, err)
	faults := 0
	for range n {
		if w := get(s, "k"); w.Code == 503 {
			faults++
			require.Empty(t, w.Header().Get("X-RateLimit-Limit"))
		}
	}
	require.InDelta(t, n/10, faults, 60)
	require.Equal(t, Counts{Requests: n, Admitted: n - faults, Faults: faults}, s.Counts())
	s.Change("k", func(m ratemodel.Model) {
		require.Equal(t, 1_000_000-(n-faults), m.Windows(nil, c.Now())[0].Remaining, "faults cost nothing")
	})
}

func TestFaultsBehindTheLimiter(t *testing.T) {
	s, err := New(Config{
		Faults: Faults{Share: 1, Status: 500, Counted: true},
		Rules:  []Rule{{Model: fixed(2, time.Hour), Dialect: Dialect{Fields: XRateLimit}}},
	})
	require.NoError(t, err)
	w := get(s, "k")
	require.Equal(t, 500, w.Code)
	require.Equal(t, "1", w.Header().Get("X-RateLimit-Remaining"))
	require.Equal(t, 500, get(s, "k").Code)
	require.Equal(t, 429, get(s, "k").Code)
	require.Equal(t, Counts{Requests: 3, Admitted: 2, Refused: 1, Faults: 2}, s.Counts())
}

func TestFaultsFollowTheSeed(t *testing.T) {
	pattern := func(seed uint64) (codes []int) {
		s, err := New(Config{Faults: Faults{Share: .5, Seed: seed}})
		require.NoError(t, err)
		for range 64 {
			codes = append(codes, get(s, "").Code)
		}
		return codes
	}
	require.Equal(t, pattern(1), pattern(1))
	require.NotEqual(t, pattern(1), pattern(2))
}

func TestObserveIsToldInOrder(t *testing.T) {
	c := newClock()
	var got []Decision
	s, err := New(Config{
		Now: c.Now, Rules: []Rule{{Model: fixed(1, time.Minute)}},
		Observe: func(d Decision) { got = append(got, d) },
	})
	require.NoError(t, err)
	ask(s, "POST", "/first", "a")
	c.move(time.Second)
	get(s, "a")
	require.Len(t, got, 2)
	require.Equal(t, "/first", got[0].Request.URL.Path)
	require.Equal(t, "a", got[0].Key)
	require.Equal(t, []Outcome{Admitted, Refused}, []Outcome{got[0].Outcome, got[1].Outcome})
	require.Equal(t, time.Second, got[1].Time.Sub(got[0].Time))
}

func TestAdmittedRequestsReachTheHandler(t *testing.T) {
	s, err := New(Config{
		Rules:   []Rule{{Model: fixed(1, time.Hour), Dialect: Dialect{Fields: XRateLimit}}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
	})
	require.NoError(t, err)
	w := get(s, "")
	require.Equal(t, http.StatusTeapot, w.Code)
	require.Equal(t, "0", w.Header().Get("X-RateLimit-Remaining"))
	require.Equal(t, 429, get(s, "").Code)
}

// Over a socket, with many at once: the count is exact, and the names arrive in
// the case that net/http gives them.
func TestOnASocket(t *testing.T) {
	c := newClock()
	s, err := NewBindbee(1, on(c), func(c *Config) { c.ClockOffset = -time.Hour })
	require.NoError(t, err)
	srv := httptest.NewServer(s)
	defer srv.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				res, err := srv.Client().Get(srv.URL)
				if !assert.NoError(t, err) {
					return
				}
				assert.Equal(t, []string{"Thu, 29 Feb 2024 11:00:00 GMT"}, res.Header["Date"], "not that of net/http")
				assert.Len(t, res.Header["X-Ratelimit-Limit"], 1)
				res.Body.Close()
			}
		})
	}
	wg.Wait()
	require.Equal(t, Counts{Requests: 400, Admitted: 200, Refused: 200}, s.Counts())
}

func TestNoDateOnASocket(t *testing.T) {
	s, err := New(Config{NoDate: true})
	require.NoError(t, err)
	srv := httptest.NewServer(s)
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL)
	require.NoError(t, err)
	defer res.Body.Close()
	require.NotContains(t, res.Header, "Date")
}

func decode(t *testing.T, w *httptest.ResponseRecorder, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), into), w.Body.String())
}
