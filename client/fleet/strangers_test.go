package fleet

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client/clienttest"
	"github.com/forbear-go/forbear/internal/chance"
)

// Where others spend three in ten of each window, evenly, and do not talk, hardly any request of a fleet is
// refused, and it spends nearly all that they leave.
func TestOthersSpendEvenly(t *testing.T) {
	const per, windows, taken = 2 * time.Second, 11, 120
	for name, dialect := range map[string]clienttest.Option{"draft 8": clienttest.Draft8(), "moments": clienttest.XRateLimitDelta()} {
		chance.Bubble(t, func(t testing.TB) {
			w := newWorld(t, 8, clienttest.Fixed(400, per), dialect, clienttest.Latency(10*time.Millisecond, 20*time.Millisecond))
			var others sync.WaitGroup
			theirs := func(r *http.Request) bool { return r.Header.Get("X-Other") != "" }
			w.play(t, windows*per-10*time.Millisecond, busy, func() {
				for range windows*taken - 1 {
					time.Sleep(per / taken)
					others.Go(func() {
						req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.api.URL, nil)
						if err != nil {
							t.Error(err)
							return
						}
						req.Header.Set("X-Other", "1")
						if resp, err := w.api.Client().Do(req); err == nil {
							_ = resp.Body.Close()
						}
					})
				}
				others.Wait()
			})
			ours, left, refused := 0, windows*400, 0
			for _, r := range w.api.Requests() {
				switch {
				case theirs(r.Request) && r.Admitted:
					left--
				case theirs(r.Request):
				case r.Admitted:
					ours++
				default:
					refused++
				}
			}
			t.Logf("%s: %d of %d, %d refused", name, ours, left, refused)
			if 100*refused > ours || 100*ours < 97*left || ours < 3000 {
				t.Errorf("%s: admitted %d of %d, refused %d", name, ours, left, refused)
			}
		})
	}
}
