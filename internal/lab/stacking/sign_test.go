package stacking

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dated puts the date on a request, as whoever signs it does.
func dated(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header.Set("X-Date", time.Now().UTC().Format(http.TimeFormat))
		return base.RoundTrip(req)
	})
}

// fresh refuses signatures that are older than five minutes, as many APIs do.
func fresh(w http.ResponseWriter, r *http.Request) {
	signed, err := http.ParseTime(r.Header.Get("X-Date"))
	if err != nil || time.Since(signed) > 5*time.Minute {
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func signed() *clienttest.Server {
	return clienttest.NewInMemory(clienttest.FromFirst(2, time.Minute), clienttest.Draft8(),
		clienttest.Handler(http.HandlerFunc(fresh)))
}

// A signature that is made below forbear does not expire in the queue; one that is made
// above does.
func TestSignatures(t *testing.T) {
	for _, o := range []order{above, below} {
		synctest.Test(t, func(t *testing.T) {
			api := signed()
			got := send(t, stack(t, o, dated, api.Client().Transport), api.URL, 20)
			if o == below {
				assert.Equal(t, map[int]int{200: 20}, got)
			} else {
				assert.Greater(t, got[http.StatusUnauthorized], 5)
			}
			api.MustNotRefuse(t)
		})
	}
}

// A retry below has a signature of its own.
func TestSignedRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := signed()
		api.Next(1, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		assert.Equal(t, map[int]int{200: 1}, send(t, stack(t, below, dated, api.Client().Transport), api.URL, 1))
	})
}

// Where an SDK signs above, a bound on the wait turns an expired signature into an error
// that tells when to come back.
func TestSignedAbove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := signed()
		limited, err := client.NewTransport(api.Client().Transport, client.WithMaxWait(4*time.Minute))
		require.NoError(t, err)
		hc := &http.Client{Transport: dated(limited)}
		var all sync.WaitGroup
		var mu sync.Mutex
		statuses, late := map[int]int{}, 0
		for range 20 {
			all.Go(func() {
				resp, err := hc.Get(api.URL)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					limited, ok := errors.AsType[*client.Error](err)
					assert.True(t, ok && errors.Is(err, client.ErrMaxWait) && limited.Until.After(time.Now()), err)
					late++
					return
				}
				resp.Body.Close()
				statuses[resp.StatusCode]++
			})
		}
		all.Wait()
		assert.Greater(t, late, 5)
		assert.Equal(t, map[int]int{200: 20 - late}, statuses)
		api.MustNotRefuse(t)
	})
}
