package sharing

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// A spentKey has counters of which /a said that nothing is left.
type spentKey struct {
	testing.TB
	Counters
	routes Routes
	now    time.Time
	until  time.Time
}

func newSpentKey(t testing.TB) *spentKey {
	k := &spentKey{TB: t, now: time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC)}
	k.until = k.now.Add(time.Hour)
	k.Spend(k.now, k.groups("/a"), k.answer(http.StatusTooManyRequests, 0))
	return k
}

func (k *spentKey) groups(path string) *Groups {
	req, err := http.NewRequest(http.MethodGet, "https://api.test"+path, nil)
	require.NoError(k, err)
	g := GroupsOf(req, k.routes.Of(req), 0)
	return &g
}

// answer returns what a response says that has so many left of 100.
func (k *spentKey) answer(status, left int) *header.Reading {
	var r header.Reading
	r.Read(status, http.Header{"X-Ratelimit-Limit": {"100"}, "X-Ratelimit-Remaining": {fmt.Sprint(left)},
		"X-Ratelimit-Reset": {fmt.Sprint(k.until.Unix())}}, nil, k.now)
	return &r
}

// test returns how long a request has to wait until it may go as a test, and of which level.
func (k *spentKey) test(path string) (wait time.Duration, l Level) {
	due, l := k.Test(k.now, k.until, false, k.groups(path))
	return due.Sub(k.now), l
}

// goes has a request go as a test, with so many left in its response.
func (k *spentKey) goes(path string, status, left int) {
	wait, l := k.test(path)
	require.Zero(k, wait)
	require.NotEqual(k, ByBucket, l)
	g := k.groups(path)
	tested := k.Explore(k.now, g)
	k.Note(g)
	seen := k.Sent(k.now, g)
	sent := k.now
	if wait, l = k.test("/other" + path); l != ByBucket {
		require.GreaterOrEqual(k, wait, explorePatience, "one at a time")
	}
	k.now = k.now.Add(100 * time.Millisecond)
	r := k.answer(status, left)
	k.Answered(k.now, sent, g, &seen, r)
	k.Spend(k.now, g, r)
	k.Explored(k.now, tested, g, r)
}

func TestOtherRoutesTestASpentCounter(t *testing.T) {
	k := newSpentKey(t)
	_, l := k.test("/a")
	assert.Equal(t, ByBucket, l, "it said itself that nothing is left")
	k.goes("/b", http.StatusOK, 80)
	assert.Equal(t, ByBucket, k.Level())
	k.goes("/b", http.StatusOK, 79)
	assert.Equal(t, ByRoute, k.Level())
}

func TestTestsOfASharedCounterBecomeRare(t *testing.T) {
	k := newSpentKey(t)
	until := k.until
	tests := 0
	for ; k.now.Before(until); k.now = k.now.Add(time.Second) {
		path := fmt.Sprintf("/r%d", tests)
		if wait, l := k.test(path); wait == 0 && l != ByBucket {
			k.goes(path, http.StatusTooManyRequests, 0)
			for _, spent := range []string{"/a", path} {
				_, l = k.test(spent)
				assert.Equal(t, ByBucket, l, spent)
			}
			tests++
		}
	}
	assert.Equal(t, 5, tests, "at once, and after 15 seconds, 75, 5 minutes and 21")
	assert.Equal(t, ByBucket, k.Level())
}

// A route that said that something is left tests that at once, and once.
func TestARouteThatHadSomethingLeftTestsAtOnce(t *testing.T) {
	k := newSpentKey(t)
	g := k.groups("/b")
	seen := k.Sent(k.now, g)
	k.Answered(k.now, k.now, g, &seen, k.answer(http.StatusOK, 50))
	k.goes("/r", http.StatusTooManyRequests, 0)
	wait, l := k.test("/c")
	assert.Equal(t, ByRoute, l)
	assert.Equal(t, spentFirst, wait)
	k.goes("/b", http.StatusTooManyRequests, 1)
	wait, l = k.test("/b")
	assert.Equal(t, ByRoute, l)
	assert.Equal(t, spentLater*spentFirst, wait)
}

// What comes back little by little contradicts nothing.
func TestARefillIsNoCounterOfItsOwn(t *testing.T) {
	k := newSpentKey(t)
	k.now = k.now.Add(30 * time.Minute)
	k.goes("/b", http.StatusOK, 49)
	wait, _ := k.test("/c")
	assert.Equal(t, spentFirst, wait)
}

// Routes that were seen to share what is left have nothing to test.
func TestRoutesKnownToShareTestNothing(t *testing.T) {
	k := newSpentKey(t)
	k.explored.spent = spent{}
	for left := 99; left >= 0; left-- {
		g := k.groups([]string{"/a", "/b"}[left%2])
		seen := k.Sent(k.now, g)
		r := k.answer(http.StatusOK, left)
		k.Answered(k.now, k.now, g, &seen, r)
		k.Spend(k.now, g, r)
		k.now = k.now.Add(time.Second)
	}
	_, l := k.test("/b")
	assert.Equal(t, ByBucket, l)
	_, l = k.test("/c")
	assert.Equal(t, ByBucket, l)
}

// A path that is always new tells no request from others, where what it asks for does.
func TestWhatIsAlwaysNewHasNoCounter(t *testing.T) {
	k := newSpentKey(t)
	path := func(n, account int) string { return fmt.Sprintf("/items/%d?account=%d", 100_000+n, account) }
	for n := range 12 {
		k.Note(k.groups(path(n, n%3)))
	}
	k.Spend(k.now, k.groups(path(0, 0)), k.answer(http.StatusTooManyRequests, 0))
	k.goes(path(13, 1), http.StatusOK, 80)
	k.goes(path(14, 1), http.StatusOK, 79)
	assert.Equal(t, ByOwner, k.Level())
}

// That others share a counter says nothing of a group that was seen not to.
func TestAGroupIsJudgedByItself(t *testing.T) {
	k := newSpentKey(t)
	k.explored.spent = spent{}
	left := map[string]int{"/b": 100}
	for n := range 100 {
		path := []string{"/c", "/d"}[n%2]
		if n%16 == 15 {
			path = "/b"
		}
		quota := map[string]string{"/b": "/b"}[path]
		if left[quota]--; quota == "" {
			left[quota] = max(0, 99-n)
		}
		g := k.groups(path)
		seen := k.Sent(k.now, g)
		r := k.answer(http.StatusOK, left[quota])
		k.Answered(k.now, k.now, g, &seen, r)
		k.Spend(k.now, g, r)
		k.now = k.now.Add(time.Second)
	}
	require.True(t, k.cross[ByRoute].share())
	_, l := k.test("/b")
	assert.Equal(t, ByRoute, l)
	_, l = k.test("/d")
	assert.Equal(t, ByBucket, l)
}
