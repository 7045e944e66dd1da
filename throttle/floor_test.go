package throttle

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/throttle/internal/probe"
)

var (
	perFamily = flag.Uint64("family", 40, "how many servers to draw of each family")
	firstSeed = flag.Uint64("first", 0, "the seed of the first server of each family")
)

// A family is servers of one kind that speak one dialect, and the share of their
// limit that must be used of those who call them more than it allows.
type family struct {
	name string
	make func(limit int, length time.Duration, origin time.Time) ratemodel.Model
	step time.Duration // of the resets
	told bool          // the lengths of the windows
	// lengths are those of the windows; busy bounds how many times as many requests come
	// as the limit allows.
	lengths []time.Duration
	busy    [2]float64
	// from and to, in windows, are what counts: all from the cold start on, or what
	// came once the server was known.
	from, to float64
	floor    float64
}

func fixedWindow(limit int, length time.Duration, origin time.Time) ratemodel.Model {
	m := ratemodel.NewFixed(limit, length)
	m.Origin = origin
	return m
}

func firstWindow(limit int, length time.Duration, _ time.Time) ratemodel.Model {
	m := ratemodel.NewFixed(limit, length)
	m.FromFirst = true
	return m
}

func logThatTells(rule ratemodel.ResetRule) func(int, time.Duration, time.Time) ratemodel.Model {
	return func(limit int, length time.Duration, _ time.Time) ratemodel.Model {
		m := ratemodel.NewSlidingLog(limit, length)
		m.Reset = rule
		return m
	}
}

func bucketThatTells(rule ratemodel.ResetRule) func(int, time.Duration, time.Time) ratemodel.Model {
	return func(limit int, length time.Duration, _ time.Time) ratemodel.Model {
		m := ratemodel.NewBucket(limit, limit, length)
		m.Reset = rule
		return m
	}
}

func weighedWindow(limit int, length time.Duration, origin time.Time) ratemodel.Model {
	m := ratemodel.NewSlidingCounter(limit, length)
	m.Origin = origin
	return m
}

func seconds(n ...int) (lengths []time.Duration) {
	for _, n := range n {
		lengths = append(lengths, time.Duration(n)*whole)
	}
	return lengths
}

const (
	fine  = time.Millisecond
	whole = time.Second
)

// families has a floor for what each means of recognising a server is good for: with
// one of them switched off, its family falls below.
var families = []family{
	{"fixed, fine resets", fixedWindow, fine, false, seconds(1, 2, 5, 10, 30, 60), [2]float64{2, 20}, 3, 8, 0.98},
	{"fixed, whole seconds", fixedWindow, whole, false, seconds(5, 10, 30, 60), [2]float64{2, 20}, 3, 8, 0.98},
	{"fixed, short, whole seconds", fixedWindow, whole, false, seconds(5), [2]float64{2, 20}, 3, 8, 0.97},
	{"from the first request, fine resets", firstWindow, fine, false, seconds(5, 10, 30, 60), [2]float64{2, 20}, 3, 8, 0.975},
	{"from the first request, whole seconds", firstWindow, whole, false, seconds(5, 10, 30, 60), [2]float64{2, 20}, 3, 8, 0.92},
	{"rolling, reset of the oldest", logThatTells(ratemodel.ResetNext), fine, false, seconds(5), [2]float64{2, 20}, 3, 20, 0.976},
	{"rolling, reset of the oldest in whole seconds", logThatTells(ratemodel.ResetNext), whole, false, seconds(10, 30, 60), [2]float64{2, 20}, 3, 8, 0.92},
	{"rolling, reset of the newest", logThatTells(ratemodel.ResetFull), fine, true, seconds(10, 30, 60), [2]float64{2, 20}, 3, 8, 0.985},
	{"rolling, no reset", logThatTells(ratemodel.ResetNone), whole, true, seconds(5, 10, 30, 60), [2]float64{2, 20}, 3, 8, 0.985},
	{"weighed, fine resets", weighedWindow, fine, true, seconds(5, 10, 30, 60), [2]float64{2, 20}, 3, 8, 0.95},
	{"weighed, whole seconds", weighedWindow, whole, true, seconds(10, 30, 60), [2]float64{2, 20}, 3, 8, 0.92},
	{"weighed, whole seconds, untold", weighedWindow, whole, false, seconds(30, 60), [2]float64{2, 20}, 3, 8, 0.96},
	{"bucket, reset of the next", bucketThatTells(ratemodel.ResetNext), fine, false, seconds(10, 30, 60), [2]float64{4, 20}, 0, 1.5, 0.985},
	{"bucket, full again", bucketThatTells(ratemodel.ResetFull), fine, false, seconds(10, 30, 60), [2]float64{6, 20}, 0, .95, 0.955},
	{"bucket, full again in whole seconds", bucketThatTells(ratemodel.ResetFull), whole, false, seconds(60, 120), [2]float64{6, 20}, 0, .95, 0.97},
	{"bucket, no reset", bucketThatTells(ratemodel.ResetNone), whole, true, seconds(5, 10, 30, 60), [2]float64{2, 20}, 3, 8, 0.985},
}

// draw returns the simulation of a server of the family, a network and a load.
func (f family) draw(seed uint64) simulation {
	r := rand.New(rand.NewPCG(seed, 11))
	between := func(least, most float64) float64 { return least * math.Exp(r.Float64()*math.Log(most/least)) }
	length := f.lengths[r.IntN(len(f.lengths))]
	fastest := time.Duration(between(5, 100)) * fine
	slowest := fastest + time.Duration(r.IntN(100))*fine
	late := latenesses[seed%lateSteady]
	trip := float64(fastest + slowest)
	limit := min(max(int(between(.1, 16)*float64(length)/trip), 10), 1500)
	origin := epoch.Add(time.Duration(r.IntN(100000)) * fine)
	return simulation{
		model:   func() ratemodel.Model { return f.make(limit, length, origin) },
		callers: int(math.Ceil(float64(limit) * (trip + float64(late.most)) / float64(length) * between(f.busy[0], f.busy[1]))),
		fastest: fastest, slowest: slowest, late: late,
		start:  time.Duration(r.IntN(100000)) * fine,
		length: length,
		policy: DefaultPolicy(), seed: seed,
		announce: announcement{
			epoch: r.IntN(2) == 0, step: f.step, rounding: r.IntN(3) - 1, lengths: f.told,
			wait: true, date: true, offset: time.Duration(r.IntN(200)-100) * whole,
		},
	}
}

// use returns the requests that servers of the family admitted, of those that a
// client which knows everything could have had admitted, and how many they refused.
func (f family) use(servers, first uint64) (share float64, refused int) {
	for seed := first; seed < first+servers; seed++ {
		s := f.draw(seed)
		length := s.length
		until := func(windows float64) outcome {
			if windows == 0 {
				return outcome{}
			}
			s.length = time.Duration(windows * float64(length))
			return s.run()
		}
		before, all := until(f.from), until(f.to)
		share += float64(all.admitted-before.admitted) / float64(all.oracle-before.oracle)
		refused += all.refused
	}
	return share / float64(servers), refused
}

// Never to be refused is easy for those who hardly ask: what random servers allow is
// used, also by a computer that is late.
func TestRandomServersAreUsed(t *testing.T) {
	skipUnderRace(t)
	t.Parallel()
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			used, refused := f.use(*perFamily, *firstSeed)
			t.Logf("%s: %.2f %% used, at least %.1f %% demanded; %d refused", f.name, 100*used, 100*f.floor, refused)
			most := 0
			if probe.Short(instant(slices.Min(f.lengths))) {
				most = int(*perFamily) // tests of waits
			}
			if used < f.floor || refused > most {
				t.Fail()
			}
		})
	}
}
