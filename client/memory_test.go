package client_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
	"github.com/forbear-go/forbear/throttle"
)

// What refusals taught survives a restart: the next run is refused less than the
// first.
func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveModel(func() ratemodel.Model { return ratemodel.NewFixed(300, time.Minute) },
			apiserver.Dialect{RetryAfter: apiserver.Seconds})(t)
		run := func(opts ...client.Option) (client.Memory, int) {
			rt, err := client.NewTransport(simnet.New(s, 1), opts...)
			require.NoError(t, err)
			start := simnet.Into(time.Now().Add(24*time.Hour), 24*time.Hour, into)
			r := simnet.Load{Server: s, Do: rt.RoundTrip, Start: start, Until: start.Add(10*time.Minute - into)}.Run(t.Context())
			t.Log(r)
			return rt.Memory(), r.Counts.Refused
		}
		memory, first := run()
		require.Len(t, memory, 1)
		require.NotZero(t, first)

		written, err := json.Marshal(memory)
		require.NoError(t, err)
		require.NotContains(t, string(written), "key", "the credential")
		var read client.Memory
		require.NoError(t, json.Unmarshal(written, &read))
		_, second := run(client.WithMemory(read))
		require.Less(t, second, first/2)
	})
}

// What is damaged or impossible in a memory is ignored, field by field; the rest counts.
func TestDamagedMemory(t *testing.T) {
	for _, text := range []string{
		`{"a": 5, "b": {"limit": "many", "rate": -1, "windows": [7, {"remaining": -3}, {"limit": 5, "reset": "soon"}]}}`,
		`{"a": {"limit": -1, "length": 60000000000}, "b": null}`,
		`{}`, `null`,
	} {
		var m client.Memory
		require.NoError(t, json.Unmarshal([]byte(text), &m), text)
		_, err := client.New(client.WithMemory(m))
		require.NoError(t, err, text)
	}
	require.Error(t, json.Unmarshal([]byte(`[1`), new(client.Memory)))

	var m client.Memory
	require.NoError(t, json.Unmarshal([]byte(`{"a": {"limit": [], "rate": 50, "windows": [{"limit": 60, "remaining": 7}, {"remaining": "x"}]}}`), &m))
	require.Equal(t, client.Memory{"a": {Rate: 50, Windows: []throttle.AnnouncedWindow{{Limit: 60, Remaining: 7}}}}, m)
}

// A minutely runs a short-lived program once a minute, which makes calls at the same time
// and keeps the memory for the next run if it is told to.
type minutely struct {
	t      *testing.T
	base   http.RoundTripper
	keep   bool
	opts   []client.Option
	memory client.Memory
}

// run makes n calls with a request each and returns how many were served, and how long
// the program ran.
func (m *minutely) run(n int) (served int64, took time.Duration) {
	opts := m.opts
	if m.keep {
		opts = append(slices.Clip(opts), client.WithMemory(m.memory))
	}
	rt, err := client.NewTransport(m.base, opts...)
	require.NoError(m.t, err)
	defer rt.Close()
	began := time.Now()
	var ok atomic.Int64
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			resp, err := rt.RoundTrip(get(m.t.Context(), "/items"))
			if err != nil {
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				ok.Add(1)
			}
		})
	}
	wg.Wait()
	if m.keep {
		text, err := json.Marshal(rt.Memory())
		require.NoError(m.t, err)
		m.memory = nil
		require.NoError(m.t, json.Unmarshal(text, &m.memory))
	}
	return ok.Load(), time.Since(began)
}

// A program that starts every minute begins where the run before ended: its calls go
// together where a cold start sends one first, and those of a spent minute wait.
func TestWarmStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, keep := range []bool{false, true} {
			api := clienttest.NewInMemory(clienttest.Fixed(100, 5*time.Minute), clienttest.XRateLimit(), clienttest.Latency(50*time.Millisecond, 50*time.Millisecond))
			m := minutely{t: t, base: api.Client().Transport, keep: keep}
			time.Sleep(time.Until(time.Now().Truncate(5 * time.Minute).Add(5 * time.Minute)))
			for n := range 3 {
				served, took := m.run(30)
				require.EqualValues(t, 30, served)
				if keep && n > 0 {
					require.Less(t, took, 150*time.Millisecond, "no call waits for the first answer")
				} else {
					require.GreaterOrEqual(t, took, 200*time.Millisecond)
				}
				time.Sleep(time.Minute - took)
			}
			time.Sleep(90 * time.Second)
			served, took := m.run(20) // 10 are left, and the window opens 30 s later
			require.EqualValues(t, 20, served)
			require.InDelta(t, 30, took.Seconds(), 2)
			if keep {
				api.MustNotRefuse(t)
			}
			api.Close()
		}
	})
}

// A memory that is wrong, because the plan has changed or the token, costs no call, and no
// more than a minute.
func TestMemoryOfAnotherPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, opts := range map[string][]client.Option{
			"patient":   {client.WithMaxWait(2 * time.Hour)},
			"impatient": nil,
		} {
			old := clienttest.NewInMemory(clienttest.Fixed(50, time.Hour), clienttest.XRateLimit())
			key := client.WithKeyFunc(func(*http.Request) string { return "ours" })
			m := minutely{t: t, base: old.Client().Transport, keep: true, opts: append(opts, key, client.WithPacing(client.Burst))}
			time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)))
			served, _ := m.run(50)
			require.EqualValues(t, 50, served)
			old.Close()

			raised := clienttest.NewInMemory(clienttest.Fixed(5000, time.Hour), clienttest.XRateLimit())
			m.base = raised.Client().Transport
			served, took := m.run(50)
			require.EqualValues(t, 50, served, name)
			most := 2 * time.Second
			if name == "patient" {
				most += time.Minute
			}
			require.Less(t, took, most, name)
			raised.MustNotRefuse(t)
			raised.Close()
		}
	})
}

// While an hour is spent, the API is asked now and then whether that is still so, and
// less often with each run that it refuses.
func TestMemoryOfASpentHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := clienttest.NewInMemory(clienttest.Fixed(20, time.Hour), clienttest.XRateLimit())
		defer api.Close()
		m := minutely{t: t, base: api.Client().Transport, keep: true, opts: []client.Option{client.WithPacing(client.Burst)}}
		time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)))
		served, _ := m.run(20)
		require.EqualValues(t, 20, served)
		for range 30 {
			time.Sleep(time.Minute)
			served, took := m.run(1)
			require.Zero(t, served)
			require.Less(t, took, time.Minute)
		}
		require.LessOrEqual(t, api.Counts().Refused, 6)
		time.Sleep(30 * time.Minute)
		served, _ = m.run(20)
		require.EqualValues(t, 20, served)
	})
}
