package otelforbear_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client/otelforbear"
)

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &api{limit: 20}, otelforbear.Config{})
		require.Empty(t, r.points("forbear.limit.max", "{unit}"))
		for range 5 {
			require.NoError(t, r.get(t.Context(), "http://api.test/"))
		}
		const set = limit + "forbear.limit.source=announced forbear.limit.unit=requests " + here
		require.Equal(t, map[string]string{set: "20"}, r.points("forbear.limit.max", "{unit}"))
		require.Equal(t, map[string]string{set: "15"}, r.points("forbear.limit.remaining", "{unit}"))
		require.Equal(t, map[string]string{set: "0.25"}, r.points("forbear.limit.utilization", "1"))
		require.Regexp(t, `^6[0-2]\.`, r.points("forbear.limit.reset_time", "s")[set])
		time.Sleep(90 * time.Second)
		require.Equal(t, map[string]string{set: "20"}, r.points("forbear.limit.remaining", "{unit}"))
		require.Equal(t, map[string]string{set: "0.00"}, r.points("forbear.limit.reset_time", "s"))
	})
}

// Limits of rules are reported as declared: those of a host or a key with its address.
func TestDeclaredLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &api{limit: 20}, otelforbear.Config{}, client.WithQueue(
			queue.WithRule(queue.Rule{Name: "own", Limits: []queue.Quota{queue.PerMinute(10).Named("own")}}),
			queue.WithRule(queue.Rule{Name: "all", Scope: queue.Global, Limits: []queue.Quota{queue.PerHour(100).Named("all")}})))
		for range 5 {
			require.NoError(t, r.get(t.Context(), "http://api.test/"))
		}
		const unit = " forbear.limit.source=declared forbear.limit.unit=requests"
		left := r.points("forbear.limit.remaining", "{unit}")
		require.Len(t, left, 3)
		require.Equal(t, "5", left["forbear.limit.name=own"+unit+" "+here])
		require.Equal(t, "95", left["forbear.limit.name=all"+unit])
		require.Equal(t, "0.50", r.points("forbear.limit.utilization", "1")["forbear.limit.name=own"+unit+" "+here])
		require.Regexp(t, `^[56]\d\.`, r.points("forbear.limit.reset_time", "s")["forbear.limit.name=own"+unit+" "+here])
	})
}

// Of several transports, too, the one with the least left is reported.
func TestSeveralTransports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, &api{limit: 20}, otelforbear.Config{})
		send := func(hc *http.Client, n int) {
			r.client = hc
			for range n {
				require.NoError(t, r.get(t.Context(), "http://api.test/"))
			}
		}
		first := r.client
		rt, err := client.NewTransport(&api{limit: 20}, client.WithObserver(r.observer.Observe))
		require.NoError(t, err)
		defer rt.Close()
		require.NoError(t, r.observer.Watch(rt))
		second := &http.Client{Transport: rt}
		const set = limit + "forbear.limit.source=announced forbear.limit.unit=requests " + here
		for _, want := range []string{"15", "12", "8"} {
			switch want {
			case "15":
				send(first, 5)
				send(second, 2)
			case "12":
				send(second, 6)
			case "8":
				send(first, 7)
			}
			require.Equal(t, map[string]string{set: want}, r.points("forbear.limit.remaining", "{unit}"))
		}
	})
}

// Of several keys the one with the least left is reported, or each by its name.
func TestKeys(t *testing.T) {
	for _, named := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			servers := make(map[string]*api)
			r := newRig(t, roundTripper(func(req *http.Request) (*http.Response, error) {
				s := servers[req.Header.Get("Authorization")]
				return s.RoundTrip(req)
			}), otelforbear.Config{KeyNames: named}, client.WithKeyNames(func(r *http.Request) string { return "tenant " + r.Header.Get("Authorization") }))
			for i := range 150 {
				key := strconv.Itoa(i)
				servers[key] = &api{limit: 200}
				for range 1 + i {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.test/", nil)
					require.NoError(t, err)
					req.Header.Set("Authorization", key)
					_, err = r.client.Do(req)
					require.NoError(t, err)
				}
			}
			left := r.points("forbear.limit.remaining", "{unit}")
			if !named {
				require.Equal(t, map[string]string{limit + "forbear.limit.source=announced forbear.limit.unit=requests " + here: "50"}, left)
				return
			}
			require.Len(t, left, 101)
			require.Contains(t, fmt.Sprint(left), "forbear.key.name=_OTHER")
			require.NotContains(t, fmt.Sprint(r.points("forbear.client.request.time_in_queue", "s")), "tenant")
		})
	}
}

// Whatever servers and callers name things, the number of series is bounded.
func TestCardinality(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &api{limit: 100, names: func(n int) string { return "limit-" + strconv.Itoa(n) }}
		r := newRig(t, server, otelforbear.Config{}, client.WithRetries(0), client.WithMaxWait(0))
		for i := range 60 {
			server.used, server.window = 1000, time.Now().Unix()/60
			require.NoError(t, r.get(client.WithKey(t.Context(), strconv.Itoa(i)), "http://api.test/"))
		}
		refusals := r.points("forbear.client.refusals", "{refusal}")
		require.Len(t, refusals, 33)
		require.Equal(t, "28", refusals["forbear.limit.name=_OTHER http.response.status_code=429 "+here])
		require.LessOrEqual(t, len(r.points("forbear.limit.max", "{unit}")), 33)
		server.limit = 1_000_000
		for i := range 1100 {
			require.NoError(t, r.get(t.Context(), fmt.Sprintf("http://host%d.test/", i)))
		}
		queued := r.points("forbear.client.request.queued", "{request}")
		require.Len(t, queued, 1001)
		require.Equal(t, "0", queued["server.address=_OTHER"])
	})
}
