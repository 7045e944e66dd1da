package refusals

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
	"github.com/forbear-go/forbear/throttle/internal/clock"
)

func TestPaces(t *testing.T) {
	var p inferredRate
	p.learn(measurement{admitted: 50, open: 10 * clock.Second, least: 10 * clock.Second, most: 10 * clock.Second}, 0)
	assert.InDelta(t, 5, p.now(), 1e-9)
	assert.Equal(t, clock.Second/5, p.step())
	p.send(0, 1)
	assert.Equal(t, clock.Second/5, p.next)
	before := p.now()
	for range int(p.period) {
		p.send(p.next, 1)
	}
	assert.InDelta(t, before*1.02, p.now(), .01, "the first part")
	p.learn(measurement{admitted: 100, open: 20 * clock.Second, least: 20 * clock.Second, most: 20 * clock.Second}, 0)
	assert.Less(t, p.now(), before*1.02)
	assert.Greater(t, p.now(), before*.95)
	p.learn(measurement{admitted: 1, open: 1000 * clock.Second, least: 1000 * clock.Second, most: 1000 * clock.Second}, 0)
	assert.Greater(t, p.now(), before/9, "one odd refusal is not believed too much")
	p.learn(measurement{admitted: 1 << 40, open: 1, least: 1, most: 1}, 0)
	assert.False(t, math.IsInf(p.now(), 0))
	p = inferredRate{rate: 1e-9, period: paceFirst}
	p.send(0, 1<<40)
	assert.Equal(t, clock.Longest, p.next)
}

// A pace that was not used proves nothing, and has to be made up for.
func TestIdlePacesProveNothing(t *testing.T) {
	p := inferredRate{rate: 10, period: 20}
	for range 100 {
		p.send(p.next+p.step(), 1) // half as fast as it may
	}
	assert.Zero(t, p.proven)
	for range 40 {
		p.send(p.next, 1)
	}
	assert.EqualValues(t, 20, p.proven)
	p.send(p.next+100*clock.Second, 1)
	assert.GreaterOrEqual(t, p.next, 100*clock.Second, "one that comes late may be made up for, and no more")
}

// A refusal soon after the opening says that the pace is too high, and not by how much:
// only when it happens again and again is a measurement believed.
func TestRefusalsThatComeSoon(t *testing.T) {
	p := inferredRate{rate: 100, period: 200}
	for n := range paceDoubt {
		p.learn(measurement{admitted: 20, open: clock.Second / 5, least: 6 * clock.Second / 5, most: 6 * clock.Second / 5}, 0)
		assert.InDelta(t, 100*math.Pow(paceFar, float64(n+1)), p.rate, 1e-9)
	}
	p.learn(measurement{admitted: 20, open: clock.Second, least: 2 * clock.Second, most: 2 * clock.Second}, 0)
	assert.InDelta(t, 10, p.rate, 1e-9)
	p.learn(measurement{admitted: 600, open: 60 * clock.Second, least: 61 * clock.Second, most: 61 * clock.Second}, 0)
	assert.Zero(t, p.soon)
}

// A rate that few requests told of rises fast until it is refused near what it was.
func TestASureRateRisesSlowly(t *testing.T) {
	var p inferredRate
	p.learn(measurement{admitted: paceFirst, open: 4 * clock.Second, least: 4 * clock.Second, most: 4 * clock.Second}, 0)
	assert.InDelta(t, 4*(1+paceSteep), p.at(p.period), 1e-9)
	p.proven = 2
	p.learn(measurement{admitted: 40, open: 9 * clock.Second, least: 10 * clock.Second, most: 10 * clock.Second}, 0)
	assert.True(t, p.sure)
	assert.InDelta(t, p.rate*(1+paceRise), p.at(p.period), 1e-9)
}

// What was admitted before the first refusal is most likely the limit of a window of a usual length, where that is possible.
// If it was more or less than a window, the next refusals show that.
func TestRatesOfUsualWindowsAreGuessed(t *testing.T) {
	for name, c := range map[string]struct {
		first, then measurement
		guessed     float64
		want        float64
	}{
		"ten a second, after a wait of up to two": {
			first:   measurement{admitted: 10, open: clock.Second / 10, least: clock.Second / 10, most: 2 * clock.Second},
			guessed: 10,
			then:    measurement{admitted: 15, open: 3 * clock.Second / 2, least: 3 * clock.Second / 2, most: 5 * clock.Second / 2},
			want:    10 * paceFar,
		},
		"two windows were one at first": {
			first:   measurement{admitted: 18, open: clock.Second / 10, least: clock.Second / 10, most: 2 * clock.Second},
			guessed: 18,
			then:    measurement{admitted: 10, open: 3 * clock.Second / 5, least: 3 * clock.Second / 5, most: 3 * clock.Second / 2},
			want:    10,
		},
		"ten in two seconds": {
			first:   measurement{admitted: 10, open: clock.Second / 10, least: clock.Second / 10, most: 3 * clock.Second},
			guessed: 10,
			then:    measurement{admitted: 12, open: 9 * clock.Second / 8, least: 9 * clock.Second / 8, most: 2 * clock.Second, dense: true},
			want:    6,
		},
		"a bucket": {
			first:   measurement{admitted: 10, open: clock.Second / 10, least: clock.Second / 10, most: 2 * clock.Second},
			guessed: 10,
			then:    measurement{admitted: 3, open: clock.Second / 2, least: clock.Second / 2, most: 3 * clock.Second / 2},
			want:    2,
		},
		"no usual length": {
			first:   measurement{admitted: 10, open: 5 * clock.Second / 2, least: 5 * clock.Second / 2, most: 4 * clock.Second},
			guessed: 2.5,
			then:    measurement{admitted: 10, open: 5 * clock.Second / 2, least: 5 * clock.Second / 2, most: 4 * clock.Second},
			want:    2.5,
		},
	} {
		var p inferredRate
		assert.True(t, p.learn(c.first, 0), name)
		assert.InDelta(t, c.guessed, p.rate, 1e-9, name)
		p.learn(c.then, 0)
		assert.InDelta(t, c.want, p.rate, 1e-9, name)
	}
}

// Callers that use a key unevenly send two requests at once after a pause. If the second is refused, the pace is not too high.
func TestARequestThatIsMadeUpForComesTooSoon(t *testing.T) {
	l := &limits{pace: inferredRate{rate: 1, period: 20, small: true}}
	v := &View{all: &Estimator{limits: l}}
	now := 10 * clock.Second
	for number := int64(1); number < 40; number += 2 {
		l.send(now, number, 1)
		if l.pace.next > now {
			now += 5 * clock.Second
			continue // none is made up for
		}
		l.send(now+clock.Second/10, number+1, 1)
		l.refused(now+clock.Second/5, &Request{Number: number + 1, Cost: 1, At: now + clock.Second/10}, &header.Reading{Refused: true}, false)
		assert.False(t, l.draw(v, now+clock.Second))
		now += 5 * clock.Second
	}
	assert.True(t, l.pace.even)
	assert.InDelta(t, 1, l.pace.now(), .01)
	assert.False(t, l.doubt.raised)
}

// The time in which nothing waited for the pace says nothing of a rate.
func TestIdleTimeIsNotMeasured(t *testing.T) {
	l := &limits{pace: inferredRate{rate: 1, period: 4}}
	v := &View{all: &Estimator{limits: l}}
	for n := range int64(20) {
		l.send(clock.Instant(n+1)*10*clock.Second, n+1, 1)
	}
	l.refused(201*clock.Second, &Request{Number: 20, Cost: 1, At: 200 * clock.Second}, &header.Reading{Refused: true}, false)
	l.draw(v, 201*clock.Second)
	assert.Greater(t, l.pace.now(), .7, "a tenth of it was used")
}
