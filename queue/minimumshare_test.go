package queue

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/limit"
)

// A tally is a Limiter that admits everything, and records the priorities of the permits of each key.
type tally struct {
	yes
	permits map[string][]Priority
	n       int
}

func (y *tally) Take(_ time.Time, d limit.Demand) {
	r := d.Tag.(*Request)
	y.permits[r.Key] = append(y.permits[r.Key], r.Priority)
	y.permits[""] = append(y.permits[""], r.Priority) // of all keys
	y.n++
}

// A contest makes callers of several priorities and keys ask for one permit after the other.
type contest struct {
	keys    int
	buckets bool // each priority of a key waits in a bucket of its own
	routes  bool // each priority is for another path, and so under other rules
	own     *Quota
	rules   []Rule // the first counts the permits
	callers map[Priority]int
	floor   float64
}

// run returns the priorities of the permits, of each key and of all.
func (c *contest) run(t *testing.T) map[string][]Priority {
	y := &tally{permits: map[string][]Priority{}}
	opts := []Option{WithMinimumShare(c.floor)}
	if c.own != nil {
		opts = append(opts, WithKeyLimit(func(string) limit.Limiter {
			q, err := c.own.Limiter()
			require.NoError(t, err)
			return limit.All(q, y)
		}))
	}
	for i, r := range c.rules {
		if i == 0 && c.own == nil {
			r.New = func() limit.Limiter { return y }
		}
		opts = append(opts, WithRule(r))
	}
	l := newLine(t, opts...)
	var wg sync.WaitGroup
	for k := range c.keys {
		for p, n := range c.callers {
			r := Request{Key: fmt.Sprint("key", k), Priority: p}
			if c.buckets {
				r.Bucket = fmt.Sprint(p)
			}
			if c.routes {
				r.Path = fmt.Sprintf("/%d", p)
			}
			for range n {
				wg.Go(func() {
					r := r
					r.Tag = &r
					for {
						permit, err := l.Acquire(context.Background(), &r)
						if err != nil {
							return
						}
						time.Sleep(100 * time.Millisecond)
						permit.Release()
					}
				})
			}
		}
	}
	count := func() int {
		l.mu.Lock() // under which y counts
		defer l.mu.Unlock()
		return y.n
	}
	for count() < 1000 {
		pass(time.Second)
	}
	l.Close()
	wg.Wait()
	return y.permits
}

// assertShares checks that each priority but the highest gets its share of any hundred successive
// permits, after the first few.
func (c *contest) assertShares(t *testing.T, who string, permits []Priority) {
	highest := Lowest
	for p := range c.callers {
		highest = max(highest, p)
	}
	want := 100 * c.floor
	for p := range c.callers {
		n := 0
		for i, q := range permits {
			if q == p {
				n++
			}
			if i >= 100 && permits[i-100] == p {
				n--
			}
			if p != highest && i >= 220 && math.Abs(float64(n)-want) > want/10+1e-9 {
				assert.Failf(t, "not its share", "%s: priority %d has %d of the 100 permits up to number %d, want %v", who, p, n, i, want)
				break
			}
		}
	}
}

func TestEveryPriorityGetsItsShareWhateverTheBottleneck(t *testing.T) {
	rate, hourly := exact(PerMinute(40)), PerHour(4000).Slack(0)
	for name, c := range map[string]contest{
		"own limit":                {keys: 1, own: &rate[0]},
		"own limit, buckets":       {keys: 1, buckets: true, own: &rate[0]},
		"own limit, many keys":     {keys: 3, own: &rate[0]},
		"key":                      {keys: 1, rules: []Rule{{Limits: rate}}},
		"key, many keys":           {keys: 3, rules: []Rule{{Limits: rate}, {Scope: Global, MaxInFlight: 500}}},
		"key, buckets":             {keys: 1, buckets: true, rules: []Rule{{Limits: rate}}},
		"host":                     {keys: 3, rules: []Rule{{Scope: PerHost, Limits: rate}}},
		"global":                   {keys: 5, rules: []Rule{{Scope: Global, Limits: rate}}},
		"global, own agrees":       {keys: 5, own: &hourly, rules: []Rule{{Scope: Global, Limits: rate}}},
		"in flight":                {keys: 3, rules: []Rule{{Scope: Global, MaxInFlight: 1}}},
		"in flight of key":         {keys: 1, rules: []Rule{{MaxInFlight: 4}}},
		"global and in flight":     {keys: 3, rules: []Rule{{Scope: Global, MaxInFlight: 4, Limits: rate}}},
		"key and in flight":        {keys: 1, rules: []Rule{{MaxInFlight: 4, Limits: rate}}},
		"own and in flight":        {keys: 1, own: &rate[0], rules: []Rule{{Scope: Global, MaxInFlight: 3}}},
		"own and in flight of key": {keys: 1, own: &rate[0], rules: []Rule{{MaxInFlight: 3}}},
		"key and global":           {keys: 1, rules: []Rule{{Limits: rate}, {Scope: Global, Limits: exact(PerSecond(5))}}},
		"all at once": {keys: 1, own: &hourly, rules: []Rule{{Limits: exact(PerMinute(60)), MaxInFlight: 7},
			{Scope: PerHost, Limits: exact(PerSecond(3))}, {Scope: Global, Limits: exact(PerMinute(100)), MaxInFlight: 5}}},
		"other rules": {keys: 2, routes: true, rules: []Rule{{Scope: Global, Limits: rate}, {Scope: Global, Pattern: "/-1", MaxInFlight: 30}}},
	} {
		perKey := name == "own limit, many keys" || name == "key, many keys"
		for _, callers := range []map[Priority]int{{Normal: 60, Low: 10}, {Lowest: 9, Low: 8, Normal: 30, High: 9, Highest: 60}} {
			for _, c.floor = range []float64{.05, .1} {
				c.callers = callers
				t.Run(fmt.Sprint(name, ", ", len(callers), " priorities, ", c.floor), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						for key, permits := range c.run(t) {
							if perKey == (key != "") || c.keys == 1 {
								c.assertShares(t, key, permits)
							}
						}
					})
				})
			}
		}
	}
}

// Estimates take into account that the minimum share may let a request go before those of a higher priority.
func TestALowPriorityIsNotTurnedAwayForHigherOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithRule(Rule{Scope: Global, Limits: exact(PerMinute(20))}))
		fill(t, l, 1000, Request{Key: "k", Priority: Normal}) // for 50 minutes
		low := enqueue(t.Context(), l, &Request{Key: "k", Priority: Low, MaxWait: 5 * time.Minute})
		pass(5 * time.Minute)
		require.NoError(t, low.get(t).err)
		assert.LessOrEqual(t, low.get(t).took, 2*time.Minute)
		l.Close()
	})
}
