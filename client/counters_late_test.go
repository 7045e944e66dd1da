package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
)

// What was sent for a thing before it is known that things are counted apart spends its counter, too: it is not taken for
// the requests of others, and the counts of servers that roll or weigh include it. So all things together are used as well as
// by a client that only retries.
func TestCountedApartFromTheBeginning(t *testing.T) {
	figures(t)
	newest := func(limit int, per time.Duration) ratemodel.Model {
		m := ratemodel.NewSlidingLog(limit, per)
		m.Reset = ratemodel.ResetFull
		return m
	}
	weighed := func(limit int, per time.Duration) ratemodel.Model { return ratemodel.NewSlidingCounter(limit, per) }
	for name, c := range map[string]struct {
		model        func(limit int, per time.Duration) ratemodel.Model
		per, runs    time.Duration
		plenty, used float64 // the limit in parts of what is asked for, and what is served in parts of what another client is
		refused      int     // of each thing
	}{
		"rolling, far from the limit": {newest, time.Hour, 3 * time.Minute, 3, .97, 0},
		"weighed":                     {weighed, 5 * time.Minute, 14 * time.Minute, .3, .96, 2},
	} {
		t.Run(name, func(t *testing.T) {
			chance.Bubble(t, func(t testing.TB) {
				for range 3 {
					w := drawThings(c.plenty, min(c.per, c.runs))
					served, refused := w.use(t, c.runs, c.per, c.model, func(base http.RoundTripper) http.RoundTripper { return transport(t, base) })
					plain, _ := w.use(t, c.runs, c.per, c.model, func(base http.RoundTripper) http.RoundTripper { return retrying(base).Transport })
					t.Logf("%+v: %d of %d served, %d refused", w, served, plain, refused)
					assert.GreaterOrEqual(t, float64(served), c.used*float64(plain))
					assert.LessOrEqual(t, refused, c.refused*w.things)
				}
			})
		})
	}
}

// A thingsUse is how callers use an API that counts things apart.
type thingsUse struct {
	things, callers, limit int
	think, least, most     time.Duration
}

// drawThings draws a use of which the limit is a part of what is asked for in a time.
func drawThings(plenty float64, per time.Duration) thingsUse {
	w := thingsUse{things: 3 + rand.IntN(6), callers: 15 + rand.IntN(6)}
	w.think = time.Duration(50+rand.IntN(300)) * time.Millisecond
	w.least = time.Duration(2+rand.IntN(80)) * time.Millisecond
	w.most = w.least + time.Duration(100+rand.IntN(100))*time.Millisecond
	asked := float64(w.callers) / (w.least + w.most + w.think).Seconds() / float64(w.things)
	w.limit = max(5, int(plenty*asked*per.Seconds()))
	return w
}

// use has a client call for so long, and returns how many requests were served and refused.
func (w thingsUse) use(t testing.TB, runs, per time.Duration, model func(int, time.Duration) ratemodel.Model, client func(http.RoundTripper) http.RoundTripper) (served, refused int) {
	server, err := apiserver.New(apiserver.Config{Key: func(r *http.Request) string { return r.URL.Path }, Rules: []apiserver.Rule{{
		Model:   func(string) ratemodel.Model { return model(w.limit, per) },
		Dialect: apiserver.Dialect{Fields: apiserver.XRateLimit, Form: apiserver.Delta, RetryAfter: apiserver.Seconds},
	}}})
	require.NoError(t, err)
	time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour + per/4))) // each begins as far into a window
	network := simnet.New(server, rand.Uint64())
	network.Min, network.Max = w.least, w.most
	callFor(t, client(network), runs, w.callers, func(ctx context.Context, caller, n int) *http.Request {
		time.Sleep(w.think)
		return get(ctx, fmt.Sprintf("/channels/%d/messages", 81740000000000000+(caller+n)%w.things))
	})
	counts := server.Counts()
	return counts.Admitted, counts.Refused
}
