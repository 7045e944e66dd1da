package throttle

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/header"
)

// A shedder refuses a share of all requests, at any rate.
type shedder struct {
	ratemodel.Model
	share  func(now time.Time) float64
	random *rand.Rand
}

func (s *shedder) Admit(now time.Time) bool {
	return s.random.Float64() >= s.share(now) && s.Model.Admit(now)
}

// Next is when a refusal bids the client come back.
func (s *shedder) Next(now time.Time) time.Time { return now.Add(time.Second) }

func sheds(of func() ratemodel.Model, share func(time.Time) float64, seed uint64) func() ratemodel.Model {
	return func() ratemodel.Model {
		return &shedder{Model: of(), share: share, random: rand.New(rand.NewPCG(seed, 9))}
	}
}

func always(share float64) func(time.Time) float64 { return func(time.Time) float64 { return share } }

// Of a server that sheds load a client gets as much as one that knows of no limits, and
// waits only with the request that was refused.
func TestSheddingIsNoLimit(t *testing.T) {
	skipUnderRace(t)
	unlimited := func() ratemodel.Model { return ratemodel.All{} }
	plenty := func() ratemodel.Model { return ratemodel.NewFixed(1_000_000, time.Hour) }
	mute, hint := announcement{mute: true, date: true}, announcement{mute: true, date: true, wait: true}
	told, toldHint := announcement{step: time.Second, date: true}, announcement{step: time.Second, date: true, wait: true}
	fourMinutes := 4 * time.Minute
	const draws = 4
	early := func(now time.Time) float64 {
		if now.Sub(epoch) < 2*time.Minute {
			return .2
		}
		return 0
	}
	for _, c := range []struct {
		name     string
		model    func() ratemodel.Model
		share    func(time.Time) float64
		announce announcement
		callers  int
		service  [2]time.Duration
		length   time.Duration
		least    float64 // of what a plain client gets, on average
	}{
		{"1 %, much announced", plenty, always(.01), told, 20, [2]time.Duration{}, fourMinutes, .97},
		{"1 %, much announced, Retry-After", plenty, always(.01), toldHint, 20, [2]time.Duration{}, fourMinutes, .97},
		{"1 %, bare", unlimited, always(.01), mute, 20, [2]time.Duration{}, fourMinutes, .97},
		{"5 %, Retry-After", unlimited, always(.05), hint, 20, [2]time.Duration{}, fourMinutes, .95},
		{"20 %, bare", unlimited, always(.2), mute, 20, [2]time.Duration{}, fourMinutes, .75},
		{"20 % for two minutes", unlimited, early, mute, 20, [2]time.Duration{}, fourMinutes, .75},
		{"1 %, one caller", unlimited, always(.01), mute, 1, [2]time.Duration{}, 20 * time.Minute, .99},
		{"2 %, three callers", unlimited, always(.02), mute, 3, [2]time.Duration{}, 20 * time.Minute, .97},
		{"2 %, slow answers", unlimited, always(.02), hint, 100, [2]time.Duration{10 * time.Second, 30 * time.Second}, time.Hour, .95},
	} {
		t.Run(c.name, func(t *testing.T) {
			sum := 0.
			for seed := range uint64(draws) {
				s := simulation{model: sheds(c.model, c.share, seed), announce: c.announce, callers: c.callers, service: c.service,
					length: c.length, policy: DefaultPolicy(), fastest: 45 * time.Millisecond, slowest: 55 * time.Millisecond, seed: seed}
				got := s.run()
				s.bare = true
				plain := s.run()
				part := float64(got.admitted) / float64(plain.admitted)
				t.Logf("seed %d: %d of %d (%.3f)", seed, got.admitted, plain.admitted, part)
				sum += part
				assert.Greater(t, part, c.least/4, "a bad draw is no spiral")
			}
			assert.Greater(t, sum/draws, c.least)
		})
	}
}

// Nothing spirals: the last of six hours is as good as the first.
func TestSheddingForHours(t *testing.T) {
	skipUnderRace(t)
	for _, share := range []float64{.01, .05} {
		s := simulation{model: sheds(func() ratemodel.Model { return ratemodel.All{} }, always(share), 1), announce: announcement{mute: true},
			callers: 5, length: 6 * time.Hour, policy: DefaultPolicy(), fastest: 400 * time.Millisecond, slowest: 600 * time.Millisecond, seed: 1}
		got := s.run()
		s.bare = true
		plain := s.run()
		t.Logf("%v: %d of %d", share, got.admitted, plain.admitted)
		assert.Greater(t, float64(got.admitted), .9*float64(plain.admitted))
	}
}

// What was sent later than a refused request and is answered well shows that the key is
// not closed. Until then it is, for as long as the server says.
func TestLaterRequestsDisproveARefusal(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.2, s.goes(0), header.Reading{})
	var sent []int
	for _, seconds := range []float64{.2, .31, .33, .35, .37} {
		sent = append(sent, s.goes(seconds))
	}
	s.hears(.4, sent[0], refusal(30*time.Second))
	s.waits(.4, Refusal)
	for _, i := range sent[1:] {
		s.hears(.6, i, header.Reading{})
	}
	s.goes(.6)
}

// Where nothing later was answered the server's word is kept.
func TestARefusalHoldsAllWithoutEvidence(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), header.Reading{})
	early, refused := s.goes(.2), s.goes(.3)
	s.hears(.4, refused, refusal(30*time.Second))
	s.hears(.5, early, header.Reading{})
	until := s.waits(1, Refusal)
	assert.False(t, until.Before(at(30.4)))
}

// A server that sheds may also have a limit: then all are refused, and all wait.
func TestALimitBehindShedding(t *testing.T) {
	skipUnderRace(t)
	served, refused := 0., 0.
	for seed := range uint64(20) {
		s := simulation{model: sheds(minutes(300), always(.02), 3), announce: announcement{mute: true, date: true}, callers: 20,
			length: 20 * time.Minute, policy: DefaultPolicy(), fastest: 45 * time.Millisecond, slowest: 55 * time.Millisecond, seed: seed}
		got := s.run()
		s.bare = true
		plain := s.run()
		served += float64(got.admitted) / float64(plain.admitted) / 20
		refused += float64(got.refused) / float64(plain.refused) / 20
	}
	t.Logf("of plain: %.3f served, %.3f refused", served, refused)
	assert.Greater(t, served, .9)
	assert.Less(t, refused, .02)
}
