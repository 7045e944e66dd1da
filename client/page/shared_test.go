package page_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/fleet"
	"github.com/forbear-go/forbear/client/page"
)

// A breakable store can be taken away.
type breakable struct {
	fleet.Store

	away bool
}

func (b *breakable) Exchange(ctx context.Context, key string, report []byte) ([]byte, error) {
	if b.away {
		return nil, errors.New("away")
	}
	return b.Store.Exchange(ctx, key, report)
}

// The page tells whether a quota is shared with other processes, and if not, why.
func TestSharing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &breakable{Store: new(fleet.Memory)}
		var p page.Page
		f, err := fleet.New(store, []byte("0123456789abcdef"))
		require.NoError(t, err)
		hc, h := observed(t, &p, &api{limit: 20, length: 10 * time.Second}, client.WithFleet(f))
		send := func() {
			for range 3 {
				get(t, t.Context(), hc, "http://a.test/", "one")
				time.Sleep(5 * time.Second)
			}
		}
		send()
		require.Equal(t, &page.Sharing{Active: true, Processes: 1}, view(t, h, "/").Keys[0].Shared)
		require.Contains(t, document(t, h, "/"), "shared, by this process alone so far")

		store.away = true
		send()
		time.Sleep(fleet.DefaultLease)
		get(t, t.Context(), hc, "http://a.test/", "one")
		require.Equal(t, &page.Sharing{Away: true, Processes: 1}, view(t, h, "/").Keys[0].Shared)
		require.Contains(t, document(t, h, "/"), "store away, not shared")
		require.NoError(t, f.Close(t.Context()))

		alone, h := observed(t, new(page.Page), &api{limit: 20, length: time.Minute})
		get(t, t.Context(), alone, "http://a.test/", "one")
		require.Nil(t, view(t, h, "/").Keys[0].Shared)
		require.NotContains(t, document(t, h, "/"), "shared")
	})
}

func TestSharingInWords(t *testing.T) {
	for want, s := range map[string]page.Sharing{
		"shared by 3 processes":                {Active: true, Processes: 3},
		"shared, by this process alone so far": {Active: true, Processes: 1},
		"store away, spends what it holds":     {Active: true, Away: true, Processes: 3},
		"store away, not shared":               {Away: true, Processes: 3},
		"not shared":                           {Processes: 1},
	} {
		require.Equal(t, want, s.String())
	}
}
