package observe_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/observe"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/simnet"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/header"
)

// answering is a base transport that returns its responses in order, and repeats the last.
type answering struct {
	mu      sync.Mutex
	answers []http.Response
}

func (a *answering) RoundTrip(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	resp := a.answers[0]
	if len(a.answers) > 1 {
		a.answers = a.answers[1:]
	}
	resp.Request, resp.Body = req, io.NopCloser(strings.NewReader("{}"))
	return &resp, nil
}

func answer(status int, fields ...string) http.Response {
	h := make(http.Header)
	for i := 0; i < len(fields); i += 2 {
		h.Set(fields[i], fields[i+1])
	}
	return http.Response{StatusCode: status, Header: h}
}

var refusal = answer(http.StatusTooManyRequests, "Retry-After", "7")

// get sends a request that has credentials in every possible place.
func get(t *testing.T, rt http.RoundTripper) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://user:hunter2@api.test/bot-hunter2/items?api_key=hunter2", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer hunter2")
	resp, err := rt.RoundTrip(req)
	if err == nil {
		require.NoError(t, resp.Body.Close())
	}
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
		ok := answer(http.StatusOK, "X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "99", "X-RateLimit-Reset", "60")
		rt, err := client.NewTransport(&answering{answers: []http.Response{refusal, ok, answer(http.StatusTooManyRequests, "Retry-After", "86400")}},
			client.WithObserver(observe.Log(logger)))
		require.NoError(t, err)
		get(t, rt)
		get(t, rt)
		var told []string
		for line := range strings.Lines(text.String()) {
			_, line, _ = strings.Cut(line, "level=")
			line, _, _ = strings.Cut(line, " key=")
			told = append(told, line)
		}
		assert.Equal(t, []string{
			`DEBUG msg="forbear: admit" method=GET host=api.test`,
			`WARN msg="forbear: refuse" method=GET host=api.test`,
			`INFO msg="forbear: retry" method=GET host=api.test`,
			`DEBUG msg="forbear: admit" method=GET host=api.test`,
			`DEBUG msg="forbear: answer" method=GET host=api.test`,
			`INFO msg="forbear: learn" method=GET host=api.test`,
			`DEBUG msg="forbear: admit" method=GET host=api.test`,
			`WARN msg="forbear: refuse" method=GET host=api.test`,
			`WARN msg="forbear: give up" method=GET host=api.test`,
		}, slices.DeleteFunc(told, func(line string) bool {
			// The limit may still be closed for a moment when the wait of the retry ends.
			return line == "" || strings.HasPrefix(line, `DEBUG msg="forbear: wait"`)
		}))
		assert.Contains(t, text.String(), "limits.default.limit=100 limits.default.left=99")
		assert.Contains(t, text.String(), "delay=7")
		assert.NotContains(t, text.String(), "hunter2")
	})
}

// No attributes are made for a handler that is not enabled.
func TestLogAsksTheHandler(t *testing.T) {
	var text bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&text, nil))
	f := observe.Log(logger)
	req := &http.Request{Method: http.MethodGet, URL: &url.URL{Host: "api.test"}}
	f(client.Event{Kind: client.EventAdmit, Request: req})
	assert.Empty(t, text.String())
	f(client.Event{Kind: client.EventRefuse, Request: req})
	assert.NotEmpty(t, text.String())
}

func TestRecorder(t *testing.T) {
	recorder := observe.NewRecorder(3)
	limits := []throttle.WindowStatus{{Name: "minute"}}
	told := []header.Window{{Name: "minute"}}
	req, err := http.NewRequest(http.MethodGet, "https://user:hunter2@api.test/items?api_key=hunter2", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "hunter2")
	for attempt := range 5 {
		recorder.Record(client.Event{Kind: client.EventAdmit, Attempt: attempt, Request: req, Limits: limits, Told: told})
	}
	told[0].Name = "overwritten"
	events := recorder.Events()
	require.Len(t, events, 3)
	for i, e := range events {
		assert.Equal(t, i+2, e.Attempt, "the oldest comes first")
		assert.Equal(t, "minute", e.Told[0].Name)
		assert.Equal(t, "https://api.test/items", e.Request.URL.String())
		assert.Empty(t, e.Request.Header)
	}
	assert.Equal(t, 5, recorder.Count(client.EventAdmit))
	assert.Zero(t, recorder.Count(client.EventRefuse))
	assert.Empty(t, observe.NewRecorder(0).Events())
}

// A recorder counts the same requests as the server.
func TestRecorderAgreesWithServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, err := apiserver.NewBindbee(1)
		require.NoError(t, err)
		recorder := observe.NewRecorder(100)
		rt, err := client.NewTransport(simnet.New(api, 1), client.WithObserver(recorder.Record))
		require.NoError(t, err)
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				for range 30 {
					get(t, rt)
				}
			})
		}
		callers.Wait()
		assert.Equal(t, 600, recorder.Count(client.EventAdmit))
		assert.Equal(t, 600, recorder.Count(client.EventAnswer))
		assert.Positive(t, recorder.Count(client.EventWait))
		assert.Zero(t, recorder.Count(client.EventRefuse))
		assert.Len(t, recorder.Events(), 100)
	})
}

func TestWarn(t *testing.T) {
	type step struct {
		limit string
		below int
		left  float64
	}
	var steps []step
	warn, err := observe.Warn(func(l observe.Level) { steps = append(steps, step{l.Limit.Name, l.Below, l.Left}) }, 0.25, 0.1)
	require.NoError(t, err)
	see := func(name string, credit int) {
		warn(client.Event{Kind: client.EventAnswer, Key: "k", Limits: []throttle.WindowStatus{{Name: name, Limit: 100, Credit: credit}}})
	}
	for _, credit := range []int{100, 25, 24, 26, 24, 10, 9, 11, 8, 13, 27, 99, 3} {
		see("minute", credit)
	}
	see("hour", 24)
	warn(client.Event{Kind: client.EventAdmit, Key: "k", Limits: []throttle.WindowStatus{{Name: "hour", Limit: 100, Credit: 1}}})
	warn(client.Event{Kind: client.EventAnswer, Key: "k", Limits: []throttle.WindowStatus{{Name: "rate", Limit: -1}}})
	assert.Equal(t, []step{
		{"minute", 1, 0.24}, {"minute", 2, 0.09}, {"minute", 1, 0.13}, {"minute", 0, 0.27}, {"minute", 2, 0.03}, {"hour", 1, 0.24},
	}, steps)
}

func TestWarnRefusesNonsense(t *testing.T) {
	_, err := observe.Warn(nil, 0.1)
	require.Error(t, err)
	_, err = observe.Warn(func(observe.Level) {})
	require.Error(t, err)
	for _, share := range []float64{0, -1, 1.1} {
		_, err = observe.Warn(func(observe.Level) {}, share)
		require.Error(t, err, share)
	}
}

// Without an observer, events cost nothing; the other benchmarks show what an event costs.
func BenchmarkObserver(b *testing.B) {
	warn, err := observe.Warn(func(observe.Level) {}, 0.1)
	require.NoError(b, err)
	for _, c := range []struct {
		name string
		f    func(client.Event)
	}{
		{"none", nil},
		{"empty", func(client.Event) {}},
		{"recorder", observe.NewRecorder(1000).Record},
		{"log", observe.Log(slog.New(slog.DiscardHandler))},
		{"warn", warn},
	} {
		b.Run(c.name, func(b *testing.B) {
			var opts []client.Option
			if c.f != nil {
				opts = append(opts, client.WithObserver(c.f))
			}
			resp := answer(http.StatusOK, "X-RateLimit-Limit", "1000000000", "X-RateLimit-Remaining", "999999999", "X-RateLimit-Reset", "3600")
			resp.Body = http.NoBody
			rt, err := client.NewTransport(same{&resp}, opts...)
			require.NoError(b, err)
			req, err := http.NewRequest(http.MethodGet, "https://api.test/items", nil)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				resp, err := rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_ = resp.Body.Close()
			}
		})
	}
}

type same struct{ resp *http.Response }

func (s same) RoundTrip(*http.Request) (*http.Response, error) { return s.resp, nil }

func TestEventTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := observe.NewRecorder(10)
		rt, err := client.NewTransport(&answering{answers: []http.Response{refusal, answer(http.StatusOK)}}, client.WithObserver(recorder.Record))
		require.NoError(t, err)
		get(t, rt)
		events := recorder.Events()
		last := events[len(events)-1]
		assert.GreaterOrEqual(t, last.Time.Sub(events[0].Time), 7*time.Second)
	})
}
