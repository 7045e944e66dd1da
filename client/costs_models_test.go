package client_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Models that show the same limits and do not share them are told apart: the one that many ask
// keeps no other waiting, and what it has left is not mistaken for that of another.
func TestModelsOfEqualLimits(t *testing.T) {
	t.Parallel()
	for name, pool := range map[string]func(limit float64, length time.Duration) ratemodel.Pool{
		"refilling": ratemodel.NewRefillingPool, "fixed": ratemodel.NewFixedPool, "rolling": ratemodel.NewRollingPool,
	} {
		least := 0.9
		if name == "rolling" { // a client that just retries is there when a little comes back
			least = 0.8
		}
		for _, charging := range []ratemodel.Charging{ratemodel.ChargeEnd, ratemodel.ChargeRefund, ratemodel.ChargeKeep} {
			t.Run(fmt.Sprintf("%s/%d", name, charging), func(t *testing.T) {
				t.Parallel()
				chance.Bubble(t, func(t testing.TB) {
					model := func(i int) string {
						if i%10 == 0 {
							return "small"
						}
						return "big"
					}
					api := func() *chatAPI {
						s := newChatAPI(charging, map[string]float64{"big": 60_000, "small": 60_000})
						s.pool = pool
						return s
					}
					whole := func(int) bool { return false }
					plain := api()
					persist(t, plain, 30, 5*time.Minute, whole, model)
					ours := api()
					tr, err := client.NewTransport(ours)
					require.NoError(t, err)
					defer tr.Close()
					persist(t, tr, 30, 5*time.Minute, whole, model)
					t.Logf("refused %d of %d and not %d, used %.2f", ours.refused, ours.served, plain.refused, ours.charged/plain.charged)
					assert.GreaterOrEqual(t, ours.charged, least*plain.charged)
					assert.Less(t, ours.refused, plain.refused/5)
				})
			})
		}
	}
}

// persist is converse by callers that come back a while after a refusal.
func persist(t testing.TB, tr http.RoundTripper, callers int, d time.Duration, stream func(i int) bool, model func(i int) string) {
	converse(t, backoffTransport{tr}, callers, d, stream, model)
}

type backoffTransport struct{ http.RoundTripper }

func (b backoffTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		time.Sleep(2 * time.Second)
	}
	return resp, err
}
