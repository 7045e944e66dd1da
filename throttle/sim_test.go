package throttle

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/header"
)

// A simulation runs callers against server models in virtual time, one event
// after another, without goroutines: thousands of servers are tried in seconds.
type simulation struct {
	model     func() ratemodel.Model
	nodes     int // servers with counts of their own behind one name; 0 is one
	changes   []change
	announce  announcement
	processes int           // with a throttle each; 0 is one
	callers   int           // of each process, in a closed loop
	think     time.Duration // the longest pause of a caller between two requests
	fastest   time.Duration // of a one-way trip
	slowest   time.Duration
	service   [2]time.Duration // bounds of what an admitted request takes beside its trips
	slow      float64          // share of the admitted that take so long; 0 is all
	start     time.Duration    // into the windows of the clock
	length    time.Duration
	leave     time.Duration // when all processes but the first stop; 0 is never
	policy    Policy
	bare      bool // the limiters are not asked
	together  bool // all requests but the first come when that is answered
	seed      uint64
	failures  float64 // share of requests that get no answer
	shed      float64 // share of requests that are refused without a word on limits, and not counted
	faults    float64 // share of admitted requests that are answered without a word on limits

	late lateness // of the computer of each process

	// A naive client shares the quota: it sends so often, or so many callers of it
	// send in a closed loop; after a refusal each stays away for a second.
	naiveEvery   time.Duration
	naiveCallers int

	rivals      int           // so many callers of a client that only retries share the quota
	rivalsLeave time.Duration // when they stop; 0 is never
	instead     int           // so many of them take our place

	lesson  *Lesson                          // given to the throttles; may be nil
	explain func(format string, args ...any) // told of each refusal; may be nil
	watch   func(now time.Duration, k *Limiter)
}

// A change happens to the server while the simulation runs.
type change struct {
	after time.Duration
	do    func(m ratemodel.Model)
}

// An outcome is what a simulation led to.
type outcome struct {
	sent, admitted, refused int // by and of ours
	unknowing               int // of the refused: sent while the first response was long in coming
	tests                   int // refused beside them: tested what had been believed for long
	each                    []int
	naive                   int // admitted of the naive client
	oracle                  int
	stuck                   bool // nothing would ever have happened again
	longest                 time.Duration
	lesson                  Lesson // of the first process
}

// used is the share of what could have been admitted, whichever client got it.
func (o outcome) used() float64 { return float64(o.admitted+o.naive) / float64(o.oracle) }

func (o outcome) refusals() float64 { return float64(o.refused) / float64(max(o.sent, 1)) }

// jain is the fairness index of what the processes got: 1 when all got the same,
// 1/n when one got everything.
func (o outcome) jain() float64 {
	var sum, squares float64
	for _, n := range o.each {
		sum += float64(n)
		squares += float64(n) * float64(n)
	}
	return sum * sum / (squares * float64(len(o.each)))
}

func (o outcome) String() string {
	s := fmt.Sprintf("sent %d, refused %d (%.2f %%), used %.2f %% of %d, longest wait %v",
		o.sent, o.refused, 100*o.refusals(), 100*o.used(), o.oracle, o.longest.Round(time.Millisecond))
	if len(o.each) > 1 {
		s += fmt.Sprintf(", each %v, fairness %.3f", o.each, o.jain())
	}
	if o.naive > 0 {
		s += fmt.Sprintf(", naive %d", o.naive)
	}
	return s
}

// epoch is a boundary of all windows of the clock.
var epoch = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// A run is a simulation under way.
type run struct {
	simulation
	agenda
	out      outcome
	random   *rand.Rand
	from, to time.Time
	models   []ratemodel.Model
}

// A process is one program with a throttle and callers.
type process struct {
	*run
	index int
	due   func(t time.Time, what func(now time.Time)) // of the computer
	k     *Limiter
	queue []time.Time // when the waiting callers came
	wake  time.Time
	first instant // when the first request was sent
}

func (s simulation) run() outcome {
	if *late > 0 {
		s.late = latenesses[*late]
	}
	r := &run{simulation: s, random: rand.New(rand.NewPCG(s.seed, 1)), from: epoch.Add(s.start)}
	r.to = r.from.Add(s.length)
	r.out.each = make([]int, max(s.processes, 1))
	for range max(s.nodes, 1) {
		r.models = append(r.models, s.model())
	}
	for _, c := range s.changes {
		r.at(r.from.Add(c.after), func(time.Time) {
			for _, m := range r.models {
				c.do(m)
			}
		})
	}
	var first *Limiter
	for i := range r.out.each {
		p := r.process(i)
		if i == 0 {
			first = p.k
		}
	}
	r.startNaive()
	r.retrying(r.rivals, r.rivalsLeave, r.at, func(now time.Time, ok bool) {
		if ok && now.Before(r.to) {
			r.out.naive++
		}
	})
	r.retrying(r.instead, 0, r.computer(0).due, r.out.count(r.to))
	r.out.stuck = !r.runUntil(r.to)
	r.out.oracle = s.oracle()
	r.out.lesson = first.Lesson(r.to)
	return r.out
}

// oracle is what a client could have had admitted that knows everything and
// chooses the node of each request.
func (s simulation) oracle() int {
	n := 0
	for range max(s.nodes, 1) {
		m, from := s.model(), epoch.Add(s.start)
		for _, c := range s.changes {
			to := epoch.Add(s.start + c.after)
			n += ratemodel.Greedy(m, from, to, 0)
			c.do(m)
			from = to
		}
		if part := ratemodel.Greedy(m, from, epoch.Add(s.start+s.length), 0); part < 1<<40 {
			n += part
		}
	}
	return n
}

func (r *run) process(index int) *process {
	k, err := New(r.policy, r.from)
	if err != nil {
		panic(err)
	}
	k.random.Seed(r.seed, uint64(index))
	if r.lesson != nil {
		if err := k.Restore(r.from, *r.lesson); err != nil {
			panic(err)
		}
	}
	p := &process{run: r, index: index, due: r.computer(index).due, k: k}
	for range r.callers {
		r.at(r.from.Add(time.Duration(r.random.Int64N(int64(time.Millisecond)))), p.arrive)
	}
	return p
}

func (r *run) trip() time.Duration {
	return r.fastest + time.Duration(r.random.Int64N(int64(r.slowest-r.fastest)+1))
}

func (p *process) arrive(now time.Time) {
	if p.leave > 0 && p.index > 0 && now.Sub(p.from) > p.leave {
		return
	}
	p.queue = append(p.queue, now)
	p.plan(now)
}

func (p *process) again(now time.Time) {
	if p.think > 0 {
		p.due(now.Add(time.Duration(p.random.Int64N(int64(p.think)))), p.arrive)
	} else {
		p.arrive(now)
	}
}

func (p *process) plan(now time.Time) {
	for len(p.queue) > 0 {
		if p.together && p.k.sent > 0 && p.k.answered == 0 {
			return
		}
		answer := p.k.Ask(now, 1)
		if !p.bare && (answer.Limit != "" || answer.At.After(now)) {
			if !answer.At.IsZero() && (p.wake.IsZero() || answer.At.Before(p.wake) || !p.wake.After(now)) {
				p.wake = answer.At
				p.due(p.wake, p.plan)
			}
			return
		}
		p.out.longest = max(p.out.longest, now.Sub(p.queue[0]))
		p.queue = p.queue[1:]
		p.send(now)
	}
}

func (p *process) send(now time.Time) {
	ticket := p.k.Take(now, 1)
	if p.k.sent == 1 {
		p.first = ticket.at
	}
	p.out.sent++
	if p.late == (lateness{}) {
		p.depart(now, ticket)
	} else {
		p.due(now, func(now time.Time) { p.depart(now, ticket) })
	}
}

// depart is send once the computer does it.
func (p *process) depart(now time.Time, ticket Reservation) {
	lost := p.random.Float64() < p.failures
	if lost && p.random.IntN(2) == 0 { // on the way there
		p.due(now.Add(p.trip()), func(now time.Time) { p.k.Abandon(now, ticket); p.again(now) })
		return
	}
	p.at(now.Add(p.trip()), func(now time.Time) {
		model := p.models[p.random.IntN(len(p.models))]
		reading := p.serve(now, model, ticket)
		back := p.trip()
		if !reading.Refused && p.service[1] > 0 && (p.slow == 0 || p.random.Float64() < p.slow) {
			takes := p.service[0] + time.Duration(p.random.Int64N(int64(p.service[1]-p.service[0])))
			if r, ok := model.(ratemodel.Releaser); ok {
				p.at(now.Add(takes), func(time.Time) { r.Release() })
			}
			back += takes
		}
		p.due(now.Add(back), func(now time.Time) {
			if lost {
				p.k.Abandon(now, ticket)
			} else {
				p.k.Observe(now, ticket, reading)
			}
			if p.watch != nil {
				p.watch(now.Sub(p.from), p.k)
			}
			p.due(now.Add(p.backoff(reading)), p.again)
		})
	})
}

// backoff is how long a caller stays away by itself after an answer: after a refusal for
// as long as the server says, or else for a moment.
func (p *process) backoff(r *header.Reading) time.Duration {
	switch {
	case !r.Refused:
		return 0
	case r.Wait.Known():
		return max(r.Wait.Delay, 0)
	}
	return 250*time.Millisecond + time.Duration(p.random.Int64N(int64(250*time.Millisecond)))
}

// serve lets a node admit or refuse a request.
func (p *process) serve(now time.Time, model ratemodel.Model, ticket Reservation) *header.Reading {
	shed := p.shed > 0 && p.random.Float64() < p.shed
	ok := !shed && model.Admit(now)
	if now.Before(p.to) {
		switch {
		case ok:
			p.out.admitted++
			p.out.each[p.index]++
		case ticket.test:
			p.out.tests++
		default:
			p.out.refused++
			if ticket.counted == 0 && time.Duration(ticket.at-p.first) >= time.Duration(startAlone) {
				p.out.unknowing++
			}
			p.why(p.k, ticket, now.Sub(p.from))
		}
	}
	if ok && p.random.Float64() < p.faults {
		return &header.Reading{}
	}
	if shed {
		return &header.Reading{Refused: true}
	}
	return p.announce.reading(model, now, ok)
}

func (r *run) startNaive() {
	var send func(now time.Time)
	send = func(now time.Time) {
		if r.naiveEvery > 0 {
			r.at(now.Add(r.naiveEvery), send)
		}
		r.at(now.Add(r.trip()), func(now time.Time) {
			ok := r.models[r.random.IntN(len(r.models))].Admit(now)
			if ok {
				r.out.naive++
			}
			if r.naiveEvery > 0 {
				return
			}
			pause := r.trip()
			if !ok {
				pause += time.Second
			}
			r.at(now.Add(pause), send)
		})
	}
	if r.naiveEvery > 0 {
		r.at(r.from, send)
	}
	for range r.naiveCallers {
		r.at(r.from, send)
	}
}

// why explains a refusal.
func (s simulation) why(k *Limiter, t Reservation, at time.Duration) {
	if s.explain == nil {
		return
	}
	s.explain("refused at %v: request %d of %d, sent at %v, slack %v", at, t.number, k.sent, time.Duration(t.at), time.Duration(k.rtt.Slack()))
	v := k.view()
	s.explain("  learned: %+v", k.refusals.Inferred(&v, k.instant(epoch.Add(at))))
	for i := range k.windows {
		w := &k.windows[i]
		s.explain("  %s: limit %d, credit to %d, reset %v to %v, length %v, log %d, %+v %+v %+v", w.name, w.limit, w.grantedThrough,
			time.Duration(w.reset.Earliest), time.Duration(w.reset.Latest), time.Duration(w.length.Value),
			w.history.After(t.at-w.reach(k)), w.contention, w.probe, w.kind)
	}
}
