package queue

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/limit"
)

func TestBadRulesAreErrors(t *testing.T) {
	two := func(l *Queue) error {
		for range 2 {
			if err := WithRule(Rule{Name: "same", MaxInFlight: 1})(l); err != nil {
				return err
			}
		}
		return nil
	}
	many := func(l *Queue) error {
		for i := range 65 {
			if err := WithRule(Rule{Name: fmt.Sprint(i), MaxInFlight: 1})(l); err != nil {
				return err
			}
		}
		return nil
	}
	for name, o := range map[string]Option{
		"nothing":     WithRule(Rule{Name: "x"}),
		"method":      WithRule(Rule{MaxInFlight: 1, Pattern: "post /things"}),
		"scope":       WithRule(Rule{MaxInFlight: 1, Scope: 7}),
		"in flight":   WithRule(Rule{MaxInFlight: -1}),
		"two":         two,
		"many":        many,
		"key limit":   WithKeyLimit(nil),
		"max wait":    WithMaxWait(-1),
		"max waiting": WithMaxWaiting(-1, RefuseNewest),
		"overflow":    WithMaxWaiting(1, 9),
		"no room":     WithMaxWaiting(0, Block),
		"per key":     WithMaxWaitingPerKey(-1),
		"floor":       WithMinimumShare(-.1),
		"floor high":  WithMinimumShare(.21),
		"max keys":    WithMaxKeys(0),
	} {
		_, err := New(o)
		assert.ErrorContains(t, err, "queue: ", name)
	}
}

func TestARuleAppliesToWhatItMatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t,
			WithRule(Rule{Pattern: "POST /v1/accounts", Limits: exact(PerHour(1))}),
			WithRule(Rule{Match: func(r *Request) bool { return strings.HasSuffix(r.Path, ".csv") }, Limits: exact(PerHour(2))}),
			WithRule(Rule{Pattern: "/v1/", Match: func(r *Request) bool { return r.Tag == "both" }, Limits: exact(PerHour(3))}))
		goes := func(r Request) bool {
			r.Key, r.NoWait = "k", true
			_, err := l.Acquire(t.Context(), &r)
			return err == nil
		}
		count := func(r Request) (n int) {
			for n < 10 && goes(r) {
				n++
			}
			return n
		}
		assert.Equal(t, 1, count(Request{Method: "POST", Path: "/v1/accounts"}))
		assert.Equal(t, 10, count(Request{Method: "GET", Path: "/v1/accounts"}))
		assert.Equal(t, 2, count(Request{Method: "GET", Path: "/x.csv"}))
		assert.Equal(t, 3, count(Request{Path: "/v1/x", Tag: "both"}))
		assert.Equal(t, 10, count(Request{Path: "/v2/x", Tag: "both"}))
	})
}

func TestAllLimitsOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t,
			WithRule(Rule{Limits: exact(PerHour(3))}),
			WithRule(Rule{Scope: Global, Pattern: "/slow", Limits: exact(PerHour(1))}))
		slow := &Request{Key: "k", Path: "/slow", NoWait: true}
		_, err := l.Acquire(t.Context(), slow)
		require.NoError(t, err)
		for range 5 {
			_, err = l.Acquire(t.Context(), slow)
			require.ErrorIs(t, err, ErrNoWait)
		}
		for range 2 {
			_, err = l.Acquire(t.Context(), &Request{Key: "k", Path: "/fast", NoWait: true})
			require.NoError(t, err, "the refused ones must have cost nothing")
		}
	})
}

func TestLimitsChangeWhileRequestsWait(t *testing.T) {
	for _, kind := range []func(Quota) Quota{
		func(q Quota) Quota { return q },
		func(q Quota) Quota { return q.FixedWindow(nil) },
		func(q Quota) Quota { return q.TokenBucket(1) },
		func(q Quota) Quota { return q.SlidingCounter() },
	} {
		synctest.Test(t, func(t *testing.T) {
			l, j := journaled(t, WithRule(Rule{Name: "plan", Limits: exact(kind(PerHour(1)))}))
			for i := range 4 {
				enqueue(t.Context(), l, &Request{Key: "k", Tag: i})
			}
			assert.Len(t, j.names(), 1)
			pass(10 * time.Minute)
			require.NoError(t, l.SetLimits("plan", kind(PerHour(6)).Slack(0)))
			pass(9 * time.Minute) // a bucket has to fill at the new rate
			synctest.Wait()
			// Earlier requests still count.
			went := len(j.names())
			assert.Greater(t, went, 1)
			require.NoError(t, l.SetLimits("plan", kind(PerHour(1)).Slack(0)))
			pass(10 * time.Minute)
			synctest.Wait()
			assert.Len(t, j.names(), went)
			assert.Error(t, l.SetLimits("plan"))
			assert.Error(t, l.SetLimits("plan", Quota{}))
			assert.Error(t, l.SetLimits("", PerHour(1)))
			assert.ErrorContains(t, l.SetLimits("other", PerHour(1)), `"other"`)
			l.Close()
		})
	}
}

func TestARaisedRollingLimitRemembersWhatWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j := journaled(t, WithRule(Rule{Name: "plan", Limits: exact(PerMinute(10))}))
		fill(t, l, 100, Request{Key: "k", Tag: "x"})
		require.Len(t, j.names(), 10)
		require.NoError(t, l.SetLimits("plan", PerMinute(25).Slack(0)))
		synctest.Wait()
		assert.Len(t, j.names(), 25)
		l.Close()
	})
}

func TestHostsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, WithRule(Rule{Scope: PerHost, Limits: exact(PerSecond(1)), MaxInFlight: 5}))
		held, err := l.Acquire(t.Context(), &Request{Host: "held"})
		require.NoError(t, err)
		for i := range 10_000 {
			p, err := l.Acquire(t.Context(), &Request{Host: fmt.Sprint("host", i)})
			require.NoError(t, err)
			p.Release()
			pass(100 * time.Millisecond)
		}
		assert.Less(t, len(l.classes), 2*minPrune)
		assert.Less(t, len(l.shared), 4*minPrune)
		assert.Contains(t, l.classes, classID{rules: 1, host: "held"})
		held.Release()
	})
}

// Each quota of a rule takes over what the one at its place counted, and the rule's own limiter stays.
func TestSeveralLimitsOfARuleChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		l := newLine(t, WithRule(Rule{
			Name: "plan", Limits: []Quota{PerMinute(5).Slack(0), PerHour(8).Slack(0)},
			New: func() limit.Limiter { made++; return yes{} },
		}))
		went := func() (n int) {
			for {
				p, err := l.Acquire(t.Context(), &Request{Key: "k", NoWait: true})
				if err != nil {
					return n
				}
				p.Release()
				n++
			}
		}
		assert.Equal(t, 5, went())
		require.NoError(t, l.SetLimits("plan", PerMinute(6).Slack(0), PerHour(9).Slack(0)))
		assert.Equal(t, 1, went(), "of the minute")
		pass(time.Minute)
		assert.Equal(t, 3, went(), "of the hour")
		assert.Equal(t, 1, made)
	})
}
