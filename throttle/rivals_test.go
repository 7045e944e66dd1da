package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// retrying lets so many callers send in a closed loop as a client does that only retries: after a
// refusal each waits for as long as the server says, or for a second, two, four and eight, and
// gives up after four retries. due enters what its computer does. done is told of each response.
func (r *run) retrying(callers int, leave time.Duration, due func(time.Time, func(now time.Time)), done func(now time.Time, ok bool)) {
	for range callers {
		refused := 0
		var send func(now time.Time)
		send = func(now time.Time) {
			if leave > 0 && now.Sub(r.from) > leave {
				return
			}
			due(now.Add(r.trip()), func(now time.Time) {
				model := r.models[r.random.IntN(len(r.models))]
				ok := model.Admit(now)
				reading := r.announce.reading(model, now, ok)
				done(now, ok)
				var pause time.Duration
				switch {
				case ok || refused == 4:
					refused = 0
				case reading.Wait.Known():
					pause, refused = reading.Wait.Delay, refused+1
				default:
					pause, refused = time.Second<<refused, refused+1
				}
				due(now.Add(r.trip()+pause), send)
			})
		}
		r.at(r.from.Add(time.Duration(r.random.Int64N(int64(time.Millisecond)))), send)
	}
}

// count counts what is sent until the given time.
func (o *outcome) count(to time.Time) func(now time.Time, ok bool) {
	return func(now time.Time, ok bool) {
		switch {
		case !now.Before(to):
			return
		case ok:
			o.admitted++
		default:
			o.refused++
		}
		o.sent++
	}
}

// besidePlain returns what callers get beside as many of a client that only retries, and what
// those of another such client get in their place.
func besidePlain(s simulation, callers int) (ours, plain outcome) {
	s.rivals, s.processes, s.callers = callers, 1, callers
	ours = s.run()
	s.callers, s.instead = 0, callers
	return ours, s.run()
}

// TestBesideAClientThatOnlyRetries requires that beside a greedy neighbour a program gets nearly what
// it would get with the neighbour's client, and is refused less.
func TestBesideAClientThatOnlyRetries(t *testing.T) {
	skipUnderRace(t)
	for _, c := range []struct {
		name   string
		model  func() ratemodel.Model
		length time.Duration
		floor  float64
	}{
		{"50 a second", func() ratemodel.Model { return ratemodel.NewFixed(50, time.Second) }, 10 * time.Minute, .8},
		{"100 in 10 s", func() ratemodel.Model { return ratemodel.NewFixed(100, 10*time.Second) }, 10 * time.Minute, .8},
		{"600 a minute", minutes(600), 30 * time.Minute, .9},
		{"600 a minute, rolling", rolling(600), 30 * time.Minute, .75},
		{"600 a minute, bucket", bucketOf(600, ratemodel.ResetFull), 30 * time.Minute, .85},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(3) {
				s := simulation{model: c.model, announce: epochSeconds, start: into, length: c.length, policy: DefaultPolicy(),
					fastest: latencies[1][0], slowest: latencies[1][1], seed: seed}
				s.announce.wait = true
				ours, plain := besidePlain(s, 20)
				got := float64(ours.admitted) / float64(plain.admitted)
				t.Logf("%.3f of it: %v; plain %v", got, ours, plain)
				assert.GreaterOrEqual(t, got, c.floor)
				assert.LessOrEqual(t, ours.refused, plain.refused)
			}
		})
	}
}

// TestProcessesYieldAgain requires that processes that shared a quota with a greedy client share it
// with each other as before once that has left, although each has seen the others not yield.
func TestProcessesYieldAgain(t *testing.T) {
	skipUnderRace(t)
	for name, model := range map[string]func() ratemodel.Model{
		"fixed":  func() ratemodel.Model { return ratemodel.NewFixed(100, 10*time.Second) },
		"bucket": bucketOf(600, ratemodel.ResetFull),
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				s := simulation{model: model, announce: epochSeconds, start: into, processes: 3, callers: 10, rivals: 20,
					rivalsLeave: 10 * time.Minute, length: 35 * time.Minute, policy: DefaultPolicy(),
					fastest: latencies[1][0], slowest: latencies[1][1], seed: seed}
				s.announce.wait = true
				before := s.run()
				s.length += 15 * time.Minute
				after := s.run()
				t.Logf("%v\nthen %v", before, after)
				refused, admitted := after.refused-before.refused, after.admitted-before.admitted
				assert.LessOrEqual(t, refused, admitted/50)
				assert.GreaterOrEqual(t, admitted, 8500, "of 9,000")
			}
		})
	}
}
