package level_test

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/internal/level"
)

// A scenario is an API that limits requests and tokens a minute, and callers
// that ask it all the time, in virtual time.
type scenario struct {
	charging ratemodel.Charging
	pool     func(limit float64, length time.Duration) ratemodel.Pool // nil: refilling
	kind     string                                                   // of pool
	noReset  bool                                                     // the server does not say when
	factor   float64                                                  // it counts so much more than it tells
	round    float64                                                  // and rounds what remains
	others   float64                                                  // share of the limit that others spend evenly

	stream  bool // responses begin before they end
	silent  bool // no response tells its usage
	hideMax bool // the most that a response may have is not known
	exact   bool // every cost is known
	patient bool // requests wait for the first response

	callers    int
	mean, most float64
	limit      float64 // a minute
	minutes    int
	fastest    time.Duration // trips
	slowest    time.Duration
	lost       float64 // share of responses that never come
	claims     float64 // that many times what it cost is told as the usage of one response of some; 0: the truth
	every      int     // of how many
	seed       uint64
}

func chat() scenario {
	return scenario{
		callers: 20, mean: 400, most: 2048, limit: 90_000, minutes: 10,
		fastest: 40 * time.Millisecond, slowest: 80 * time.Millisecond, factor: 1,
	}
}

type request struct {
	ratemodel.Cost

	bytes    float64
	sent     time.Time
	attempts int
	state    any
}

func (r *request) tokens() float64 { return r.Prompt + r.Output }

// A told is what a response says.
type told struct {
	tokens, requests level.Window
	retry            time.Duration
	lacking          bool // it was refused for want of tokens
}

// A client decides when requests go.
type client interface {
	ask(now time.Time, r *request) (bool, time.Time)
	send(now time.Time, r *request)
	header(now time.Time, r *request, w told)
	done(now time.Time, r *request, usage bool)
	refused(now time.Time, r *request, w told) time.Time
}

type outcome struct {
	attempts, refused, served int
	charged                   float64
	charges                   map[int64]float64 // by the minute
	stuck                     bool              // nobody was served for minutes
	now                       time.Time
	pool                      ratemodel.Pool
	after                     func(d time.Duration) // runs on, without new requests
}

// within returns what was charged, of each minute no more than its limit.
func (o outcome) within(limit float64) (sum float64) {
	for _, charged := range o.charges {
		sum += min(charged, limit)
	}
	return sum
}

func (o outcome) refusedShare() float64 {
	return 100 * float64(o.refused) / float64(max(o.attempts, 1))
}

type event struct {
	at  time.Time
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }

func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].seq < e[j].seq
}

func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

func (e *events) Push(x any) { *e = append(*e, x.(event)) }

func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

type simulation struct {
	scenario

	now      time.Time
	seq      int
	events   events
	rng      *rand.Rand // of trips
	costs    *rand.Rand // of requests: each client is given the same ones
	tokens   ratemodel.Charger
	requests ratemodel.Pool
	client   client
	line     []*request
	wrong    int // what was told of responses so far
	door     []*request
	timer    time.Time
	opening  time.Time // when the door is tried again
	closing  bool
	served   time.Time // when somebody was last
	out      outcome
}

func run(c scenario, mk func(c scenario) client) outcome {
	s := &simulation{scenario: c, rng: rand.New(rand.NewPCG(c.seed, 7)), costs: rand.New(rand.NewPCG(c.seed, 8)), now: time.Unix(1_700_000_017, 0)}
	s.out.charges = map[int64]float64{}
	if s.pool == nil {
		s.pool = ratemodel.NewRefillingPool
	}
	s.tokens = ratemodel.Charger{Pool: s.pool(c.limit, time.Minute), Charging: c.charging, Factor: c.factor}
	s.requests = s.pool(600, time.Minute)
	s.client = mk(c)
	s.served = s.now
	end := s.now.Add(time.Duration(c.minutes) * time.Minute)
	if c.others > 0 {
		s.spendEvenly(end)
	}
	for range c.callers {
		s.line = append(s.line, s.create())
	}
	s.pump()
	s.until(end)
	s.out.stuck = s.out.stuck || s.now.Sub(s.served) > 3*time.Minute
	s.out.pool, s.out.now = s.tokens.Pool, s.now
	s.out.after = func(d time.Duration) {
		s.closing, s.line, s.door = true, nil, nil
		s.until(s.now.Add(d))
		s.out.now = s.now
	}
	return s.out
}

func (s *simulation) until(end time.Time) {
	for len(s.events) > 0 && !s.events[0].at.After(end) {
		e := heap.Pop(&s.events).(event)
		s.now = e.at
		e.do()
	}
	s.now = end
}

func (s *simulation) in(d time.Duration, do func()) {
	s.seq++
	heap.Push(&s.events, event{s.now.Add(d), s.seq, do})
}

func (s *simulation) spendEvenly(end time.Time) {
	const every = 250 * time.Millisecond
	s.tokens.Pool.Charge(s.now, s.others*s.limit*every.Minutes())
	if s.now.Before(end) {
		s.in(every, func() { s.spendEvenly(end) })
	}
}

func (s *simulation) trip() time.Duration {
	return s.fastest + time.Duration(s.rng.Int64N(int64(s.slowest-s.fastest)+1))
}

func (s *simulation) create() *request {
	total := math.Exp(math.Log(s.mean) - 0.5 + s.costs.NormFloat64())
	share := 0.2 + 0.4*s.costs.Float64()
	r := &request{Cost: ratemodel.Cost{
		Prompt: math.Ceil(min(total*share, s.limit/2)), Output: math.Ceil(min(total*(1-share), s.most)), MaxOutput: s.most,
	}}
	r.bytes = r.Prompt * (3 + s.costs.Float64())
	if s.exact {
		r.MaxOutput = r.Output
	}
	return r
}

func (s *simulation) pump() {
	for len(s.line) > 0 {
		r := s.line[0]
		ok, at := s.client.ask(s.now, r)
		if !ok {
			if !at.IsZero() && (s.timer.IsZero() || !s.timer.After(s.now) || at.Before(s.timer)) {
				s.timer = at
				s.in(at.Sub(s.now), s.pump)
			}
			return
		}
		s.line = s.line[1:]
		r.sent = s.now
		r.attempts++
		s.client.send(s.now, r)
		if _, waits := s.client.(oracle); waits {
			s.in(s.trip(), func() { s.door = append(s.door, r); s.open() })
			continue
		}
		s.in(s.trip(), func() { s.arrive(r) })
	}
}

// open serves whoever waits at the door as soon as the server would.
func (s *simulation) open() {
	for len(s.door) > 0 {
		r := s.door[0]
		wait := max(s.tokens.Pool.Wait(s.now, s.tokens.Need(r.Cost)), s.requests.Wait(s.now, 1))
		if wait > 0 {
			if at := s.now.Add(wait); !s.opening.After(s.now) || at.Before(s.opening) {
				s.opening = at
				s.in(wait, s.open)
			}
			return
		}
		s.door = s.door[1:]
		s.arrive(r)
	}
}

func (s *simulation) arrive(r *request) {
	s.out.attempts++
	lacking := s.requests.Level(s.now) >= 1
	if lacking {
		s.requests.Charge(s.now, 1) // a refusal costs a request too
	}
	if !lacking || !s.tokens.Admit(s.now, r.Cost) {
		s.out.refused++
		wait := s.requests.Wait(s.now, 1)
		if lacking {
			wait = s.tokens.Pool.Wait(s.now, s.tokens.Need(r.Cost))
		}
		w := s.tell(false)
		w.lacking, w.retry = lacking, wait.Truncate(time.Second)+time.Second
		s.in(s.trip(), func() {
			at := s.client.refused(s.now, r, w)
			s.in(at.Sub(s.now), func() {
				if !s.closing {
					s.line = append([]*request{r}, s.line...)
					s.pump()
				}
			})
			s.pump()
		})
		return
	}
	if s.stream {
		s.in(200*time.Millisecond, func() {
			w := s.tell(true)
			s.in(s.trip(), func() { s.client.header(s.now, r, w); s.pump() })
		})
	}
	s.in(200*time.Millisecond+min(time.Duration(r.Output)*10*time.Millisecond, 20*time.Second), func() { s.finish(r) })
}

func (s *simulation) finish(r *request) {
	s.tokens.Settle(s.now, r.Cost)
	s.out.charged += s.tokens.Charged(r.Cost)
	s.out.charges[s.now.Unix()/60] += s.tokens.Charged(r.Cost)
	s.out.served++
	w := s.tell(false)
	lost := s.rng.Float64() < s.lost
	s.in(s.trip(), func() {
		if !s.stream && !lost {
			s.client.header(s.now, r, w)
		}
		if s.wrong++; s.claims > 0 && s.wrong%s.every == 0 {
			r.Prompt, r.Output = r.Prompt*s.claims, r.Output*s.claims
		}
		s.client.done(s.now, r, !s.silent && !lost)
		if s.now.Sub(s.served) > 3*time.Minute {
			s.out.stuck = true
		}
		s.served = s.now
		if !s.closing {
			s.line = append(s.line, s.create())
			s.pump()
			s.open()
		}
	})
}

// tell returns what the server says now.
func (s *simulation) tell(streamed bool) told {
	w := told{tokens: s.window(s.tokens.Pool), requests: s.window(s.requests)}
	if s.round > 0 {
		w.tokens.Remaining = math.Round(w.tokens.Remaining/s.round) * s.round
	}
	w.tokens.Streamed, w.requests.Streamed = streamed, streamed
	return w
}

func (s *simulation) window(p ratemodel.Pool) level.Window {
	w := level.Window{Limit: p.Limit(), Remaining: math.Floor(max(0, p.Level(s.now))), Left: p.Full(s.now).Truncate(time.Millisecond)}
	if s.noReset {
		w.Left, w.Length = -1, time.Minute
	}
	return w
}
