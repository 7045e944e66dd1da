package client_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
)

// An hour that is spent for some ids or routes alone, of which refusals tell nothing but when to come back, does not hold the
// others, though no request can wait so long.
func TestSpentIDsHoldNoOther(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"https://api.test/channels/12%d", "https://api.test/r%d"} {
		for _, told := range []bool{true, false} {
			for spent := 1; spent <= 3; spent++ {
				t.Run(fmt.Sprint(path[17:], told, spent), func(t *testing.T) {
					t.Parallel()
					job := func(ours bool) (served, refused int) {
						chance.Bubble(t, func(t testing.TB) {
							api := &bareAPI{opens: time.Now().Add(time.Hour), spent: spent, told: told, left: map[string]int{}}
							rt := transportOf(t, roundTripper(api.answer), ours)
							ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
							defer cancel()
							ask(ctx, t, rt, 6, func(caller, _ int) string { return fmt.Sprintf(path, caller%4) })
							served, refused = api.served, api.refused
						})
						return served, refused
					}
					plain, _ := job(false)
					ours, refused := job(true)
					t.Logf("served %d, %d refused, and of a client that only retries %d", ours, refused, plain)
					assert.GreaterOrEqual(t, float64(ours), .9*float64(plain))
					assert.LessOrEqual(t, refused, 80)
				})
			}
		}
	}
}

// A bareAPI allows each path 1,500 requests until it opens, of which the first few paths have none left. Its refusals tell when
// it opens, and nothing else.
type bareAPI struct {
	opens time.Time
	spent int
	told  bool // responses that are served tell the limit

	mu              sync.Mutex
	left            map[string]int
	served, refused int
}

func (r *bareAPI) answer(req *http.Request) (*http.Response, error) {
	time.Sleep(80 * time.Millisecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	path := req.URL.Path
	left, ok := r.left[path]
	if !ok && int(path[len(path)-1]-'0') >= r.spent {
		left = 1500
	}
	reset, date := strconv.Itoa(int(time.Until(r.opens).Seconds())+1), time.Now().UTC().Format(http.TimeFormat)
	if left == 0 {
		r.refused++
		return respond(req, http.StatusTooManyRequests, "Retry-After", reset, "Date", date), nil
	}
	left--
	r.left[path] = left
	r.served++
	if r.told {
		return respond(req, http.StatusOK, "X-RateLimit-Limit", "1500", "X-RateLimit-Remaining", strconv.Itoa(left), "X-RateLimit-Reset", reset, "Date", date), nil
	}
	return respond(req, http.StatusOK, "Date", date), nil
}
