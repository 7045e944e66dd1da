package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
)

// Of ids or accounts of which some have a limit, and tell it, and the others none, these others wait for nobody.
func TestUntoldIDs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"/rID", "/channels/12ID", "/channels/12ID/messages", "/x?account=aID", "/x?account=aID&page=N"} {
		for told := 1; told <= 3; told += 2 {
			t.Run(fmt.Sprint(url, told), func(t *testing.T) {
				t.Parallel()
				job := func(ours bool) (served, refused int) {
					chance.Bubble(t, func(t testing.TB) {
						api := &someTell{told: told, left: map[int]int{}, opens: time.Now()}
						rt := transportOf(t, roundTripper(api.answer), ours)
						ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
						defer cancel()
						ask(ctx, t, rt, 8, func(caller, n int) string {
							return "https://api.test" + strings.NewReplacer("ID", strconv.Itoa(caller%4), "N", strconv.Itoa(n)).Replace(url)
						})
						served, refused = api.served, api.refused
					})
					return served, refused
				}
				plain, most := job(false)
				ours, refused := job(true)
				t.Logf("served %d, %d refused, and of a client that only retries %d, %d", ours, refused, plain, most)
				assert.GreaterOrEqual(t, float64(ours), .95*float64(plain))
				assert.LessOrEqual(t, refused, 10)
			})
		}
	}
}

// A someTell allows the first few paths or accounts 30 requests a minute each, and tells that, and the others as many as they ask for.
type someTell struct {
	told int

	mu              sync.Mutex
	opens           time.Time
	left            map[int]int
	served, refused int
}

func (r *someTell) answer(req *http.Request) (*http.Response, error) {
	time.Sleep(500 * time.Millisecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for !now.Before(r.opens) {
		r.opens, r.left = r.opens.Add(time.Minute), map[int]int{}
	}
	var id int
	for _, c := range req.URL.Path + "?" + req.URL.Query().Get("account") {
		if c >= '0' && c <= '9' {
			id = int(c - '0')
		}
	}
	if id >= r.told {
		r.served++
		return respond(req, http.StatusOK), nil
	}
	reset, status := strconv.Itoa(int(r.opens.Sub(now).Seconds())+1), http.StatusOK
	if r.left[id]++; r.left[id] > 30 {
		r.refused++
		r.left[id] = 30
		status = http.StatusTooManyRequests
	} else {
		r.served++
	}
	return respond(req, status, "X-RateLimit-Limit", "30", "X-RateLimit-Remaining", strconv.Itoa(30-r.left[id]), "X-RateLimit-Reset", reset), nil
}

// What responses tell now and then, or to some of those that spend the limit, is obeyed by all.
func TestIDsThatTellNowAndThen(t *testing.T) {
	t.Parallel()
	hot := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.3, 1, 300)
	for name, c := range map[string]struct {
		id     func(n int) int
		silent func(id, n int) bool
		free   bool // responses that tell nothing do not count
		most   int
	}{
		"a cache, hot items":   {func(int) int { return int(hot.Uint64()) }, nil, true, 12},
		"at random":            {func(n int) int { return n % 20 }, func(_, n int) bool { return n*7919%5 != 0 }, false, 3},
		"at random, new ids":   {func(n int) int { return n }, func(_, n int) bool { return n*7919%5 != 0 }, false, 3},
		"to one account alone": {func(n int) int { return n % 4 }, func(id, _ int) bool { return id > 0 }, false, 12},
		"to half of them":      {func(n int) int { return n % 6 }, func(id, _ int) bool { return id > 2 }, false, 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chance.Bubble(t, func(t testing.TB) {
				var mu sync.Mutex
				var n, left, served, refused int
				const limit, lasts = 120, 20 * time.Minute
				began := time.Now()
				opens, cached := began, map[string]time.Time{}
				rt := transport(t, roundTripper(func(req *http.Request) (*http.Response, error) {
					time.Sleep(100 * time.Millisecond)
					mu.Lock()
					defer mu.Unlock()
					now := time.Now()
					if !now.Before(opens) {
						opens, left = now.Truncate(time.Minute).Add(time.Minute), limit
					}
					n++
					path := req.URL.Path
					id, _ := strconv.Atoi(path[strings.LastIndex(path, "/")+1:])
					silent := c.silent != nil && c.silent(id, n)
					if c.silent == nil {
						silent = now.Sub(cached[path]) < 90*time.Second
						if !silent && left > 0 {
							cached[path] = now
						}
					}
					if silent && c.free {
						served++
						return respond(req, http.StatusOK), nil
					}
					fields := []string{"X-RateLimit-Limit", strconv.Itoa(limit), "X-RateLimit-Reset", strconv.Itoa(int(opens.Sub(now).Seconds()) + 1)}
					if left == 0 {
						refused++
						return respond(req, http.StatusTooManyRequests, append(fields, "X-RateLimit-Remaining", "0")...), nil
					}
					left--
					served++
					if silent {
						return respond(req, http.StatusOK), nil
					}
					return respond(req, http.StatusOK, append(fields, "X-RateLimit-Remaining", strconv.Itoa(left))...), nil
				}))
				ctx, cancel := context.WithTimeout(t.Context(), lasts)
				defer cancel()
				var next atomic.Int64
				ask(ctx, t, rt, 8, func(int, int) string {
					mu.Lock()
					defer mu.Unlock()
					return fmt.Sprintf("https://api.test/items/%d", c.id(int(next.Add(1))))
				})
				t.Logf("served %d, %d refused", served, refused)
				assert.LessOrEqual(t, refused, c.most)
				assert.GreaterOrEqual(t, served, limit*19)
			})
		})
	}
}
