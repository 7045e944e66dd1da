package throttle

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A meter counts what requests cost.
type meter struct {
	ratemodel.Model
	least, most int
	random      *rand.Rand
}

func (m *meter) Admit(now time.Time) bool {
	cost := m.least + m.random.IntN(m.most-m.least+1)
	for _, w := range m.Windows(nil, now) {
		if w.Remaining < cost {
			return false
		}
	}
	for range cost {
		m.Model.Admit(now)
	}
	return true
}

// What is left falls by what each request costs, and no other client is there: as many go as
// there is enough for, and hardly any more.
func TestRequestsThatCostMore(t *testing.T) {
	for _, c := range []struct {
		name        string
		limit       func() ratemodel.Model
		unit        string
		least, most int
		possible    float64
		used        float64
	}{
		{"tokens a minute", func() ratemodel.Model { return ratemodel.NewFixed(10000, time.Minute) }, "tokens", 70, 100, 10 * 10000 / 85, .9},
		{"points a minute", func() ratemodel.Model { return ratemodel.NewFixed(1000, time.Minute) }, "points", 10, 10, 10 * 100, .95},
		{"tokens in a bucket", func() ratemodel.Model {
			m := ratemodel.NewBucket(10000, 10000, time.Minute)
			m.Reset = ratemodel.ResetFull
			return m
		}, "tokens", 70, 100, 11 * 10000 / 85, .85},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(5) {
				s := simulation{announce: announcement{unit: c.unit, step: time.Millisecond, date: true}, callers: 20,
					length: 10 * time.Minute, policy: DefaultPolicy(), fastest: 40 * time.Millisecond, slowest: 80 * time.Millisecond, seed: seed,
					model: func() ratemodel.Model {
						return &meter{c.limit(), c.least, c.most, rand.New(rand.NewPCG(seed, 4))}
					}}
				var last Status
				s.watch = func(now time.Duration, k *Limiter) { last = k.Status(epoch.Add(now)) }
				got := s.run()
				t.Logf("admitted %d of %.0f, refused %d", got.admitted, c.possible, got.refused)
				assert.Greater(t, float64(got.admitted), c.used*c.possible)
				assert.Less(t, float64(got.refused), .02*float64(got.sent))
				assert.False(t, last.Windows[0].Others, "no other client is there")
			}
		})
	}
}

// chatWindows is what an API says that limits requests and tokens.
func chatWindows(requests, tokens int) header.Reading {
	in := header.Reset{In: 30 * time.Second, Resolution: time.Second}
	return header.Reading{Windows: []header.Window{
		{Name: "requests", Unit: "requests", Limit: known(600), Remaining: known(requests), Reset: in},
		{Name: "tokens", Unit: "tokens", Limit: known(1000), Remaining: known(tokens), Reset: in},
	}}
}

func newLimiter(t *testing.T) *Limiter {
	k, err := New(DefaultPolicy(), epoch)
	require.NoError(t, err)
	return k
}

func TestAKnownCostIsHeldUntilItsBodyWasRead(t *testing.T) {
	k := newLimiter(t)
	r := chatWindows(599, 900)
	first := k.TakeFor(epoch, limit.Demand{Units: cost.Tokens(100)})
	k.Observe(epoch.Add(100*time.Millisecond), first, &r)
	now := epoch.Add(time.Second)
	asks := limit.Demand{Units: cost.Tokens(300)}
	var under []Reservation
	for k.AskFor(now, asks).At.Equal(now) {
		under = append(under, k.TakeFor(now, asks))
	}
	assert.Len(t, under, 3, "900 are left")
	assert.Equal(t, now, k.AskFor(now, limit.Demand{Units: cost.Units{"tokens": 0}}).At, "what costs nothing goes")
	k.Cancel(under[0])
	assert.Equal(t, now, k.AskFor(now, asks).At, "it was never sent")
	assert.Equal(t, now, k.Ask(now, 500).At, "500 requests are no 500 tokens")
}

// Requests that are sent before any limit is known hold nothing that their settling could end.
func TestRequestsOfUnknownLimitsHoldNothingForEver(t *testing.T) {
	k := newLimiter(t)
	var sent []Reservation
	for i := range 20 {
		r := k.TakeFor(epoch.Add(time.Duration(i)*time.Millisecond), limit.Demand{})
		r.Metered = true
		sent = append(sent, r)
	}
	now := epoch.Add(time.Second)
	for i, s := range sent {
		r := chatWindows(590-i, 980-48*i)
		now = now.Add(10 * time.Millisecond)
		k.Observe(now, s, &r)
		k.Settle(now, s, cost.Tokens(48))
	}
	now = now.Add(5 * time.Minute)
	for range 3 {
		assert.Equal(t, now, k.AskFor(now, limit.Demand{}).At, "nothing is under way")
		k.TakeFor(now, limit.Demand{})
	}
}

func TestACostAboveTheLimitIsToldWithTheLimit(t *testing.T) {
	k := newLimiter(t)
	assert.Zero(t, k.AskFor(epoch, limit.Demand{Units: cost.Tokens(1001)}).Max, "no limit is known yet")
	r := chatWindows(599, 900)
	k.Observe(epoch.Add(100*time.Millisecond), k.TakeFor(epoch, limit.Demand{}), &r)
	now := epoch.Add(time.Second)
	assert.Equal(t, limit.Decision{Limit: "tokens", Max: 1000, Cost: 1001}, k.AskFor(now, limit.Demand{Units: cost.Tokens(1001)}))
	assert.Zero(t, k.AskFor(now, limit.Demand{Units: cost.Tokens(1000)}).Max)
	assert.Zero(t, k.Ask(now, 550).Max)
	assert.Equal(t, "requests", k.Ask(now, 601).Limit)
}

func TestAStreamThatUsesLittleGivesTheRestBack(t *testing.T) {
	k := newLimiter(t)
	asks := limit.Demand{Estimate: limit.Estimate{Bytes: 30, Most: cost.Tokens(400)}}
	take := func(now time.Time, remaining int) Reservation {
		s := k.TakeFor(now, asks)
		s.Streamed, s.Metered = true, true
		r := chatWindows(500, remaining)
		k.Observe(now.Add(50*time.Millisecond), s, &r)
		return s
	}
	first := take(epoch, 900)
	k.Settle(epoch.Add(time.Second), first, cost.Units{"input-tokens": 8, "output-tokens": 12})
	now := epoch.Add(2 * time.Second)
	second := take(now, 880)
	third := take(now.Add(100*time.Millisecond), 480)
	now = now.Add(time.Second)
	assert.NotEqual(t, now, k.AskFor(now, asks).At, "two may still use 400 each")
	k.Settle(now, second, cost.Tokens(20))
	k.Settle(now, third, cost.Tokens(20))
	assert.Equal(t, now.Add(3*time.Second), k.AskFor(now.Add(3*time.Second), asks).At, "they used little")
}

// What a window says of amounts that nothing can be made of holds nothing back.
func TestUnitsThatMakeNoSenseLimitNothing(t *testing.T) {
	for _, w := range []header.Window{
		{Name: "tokens", Unit: "tokens", Limit: known(1000)},
		{Name: "tokens", Unit: "tokens", Limit: known(0), Remaining: known(0)},
		{Name: "weight-1m", Unit: "weight", Used: known(20), Length: time.Minute},
	} {
		k := newLimiter(t)
		k.Observe(epoch.Add(time.Millisecond), k.TakeFor(epoch, limit.Demand{}), &header.Reading{Windows: []header.Window{w}})
		now := epoch.Add(time.Second)
		assert.Equal(t, now, k.AskFor(now, limit.Demand{}).At, "%+v", w)
		assert.Equal(t, now, k.AskFor(now, limit.Demand{Units: cost.Tokens(50)}).At, "%+v", w)
	}
}

// A cost above the limit of requests is meant in tokens, where the API counts those too.
func TestACostThatCannotMeanRequests(t *testing.T) {
	k := newLimiter(t)
	r := chatWindows(599, 900)
	k.Observe(epoch.Add(100*time.Millisecond), k.TakeFor(epoch, limit.Demand{}), &r)
	now := epoch.Add(time.Second)
	asks := limit.Demand{Requests: 700}
	assert.Equal(t, limit.Decision{At: now}, k.AskFor(now, asks), "600 requests may go, and 900 tokens")
	assert.Equal(t, int64(1), k.TakeFor(now, asks).cost)
	assert.NotEqual(t, now, k.AskFor(now, asks).At, "200 tokens are left")
	assert.Equal(t, limit.Decision{Limit: "tokens", Max: 1000, Cost: 1001}, k.AskFor(now, limit.Demand{Requests: 1001}))

	k = newLimiter(t)
	r.Windows = r.Windows[:1]
	k.Observe(epoch.Add(100*time.Millisecond), k.TakeFor(epoch, limit.Demand{}), &r)
	assert.Equal(t, "requests", k.AskFor(now, asks).Limit)
	assert.Equal(t, 600, k.AskFor(now, asks).Max, "nothing else is counted")
}

// A bucket that is given back what a response did not use is full sooner than it was said to be.
func TestWhatIsGivenBackIsTakenIn(t *testing.T) {
	k := newLimiter(t)
	ask := limit.Demand{Estimate: limit.Estimate{Most: cost.Tokens(100)}}
	says := func(at time.Duration, r Reservation, tokens int) {
		k.Observe(epoch.Add(at), r, &header.Reading{Windows: []header.Window{{
			Name: "tokens", Unit: "tokens", Limit: known(1000), Remaining: known(tokens),
			Reset: header.Reset{In: time.Duration(1000-tokens) * 60 * time.Millisecond, Resolution: time.Millisecond},
		}}})
	}
	says(100*time.Millisecond, k.TakeFor(epoch, ask), 900)
	var sent []Reservation
	for range 5 {
		sent = append(sent, k.TakeFor(epoch.Add(time.Second), ask))
	}
	for i, tokens := range []int{800, 700, 600, 500} {
		says(1100*time.Millisecond+time.Duration(i)*10*time.Millisecond, sent[i], tokens)
	}
	says(3*time.Second, sent[4], 950)
	w := k.Status(epoch.Add(3 * time.Second)).Windows
	require.Len(t, w, 1)
	assert.Equal(t, 950, w[0].Remaining)
	assert.InDelta(t, 950, w[0].Credit, 5, "rounded to tens")
}
