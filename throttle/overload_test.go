package throttle

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/throttle/header"
)

// overloaded is what a server says that does not know how to serve all, and asks for
// two seconds.
func overloaded() (r header.Reading) {
	r.Read(http.StatusServiceUnavailable, http.Header{"Retry-After": {"2"}}, nil, at(0))
	return r
}

// An overloaded server that serves others is not closed to them.
func TestAnOverloadHoldsOneRequest(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), header.Reading{})
	now := 1.
	for range 100 {
		for range overloadAnswers - 1 {
			s.hears(now+.1, s.goes(now), overloaded())
			now += .2
		}
		s.hears(now+.1, s.goes(now), header.Reading{})
		now += .2
	}
	assert.Zero(t, s.k.Status(at(now)).Refusals)
	assert.Equal(t, Lesson{}, s.k.Lesson(at(now)), "it teaches no limit")
}

// One that serves no request is left alone by all, for as long as it asks, and then tried by
// one; but not for ever.
func TestAnOverloadOfAllHoldsAll(t *testing.T) {
	s := newScript(t, plain())
	s.hears(.1, s.goes(0), header.Reading{})
	now := 1.
	for range overloadAnswers {
		s.hears(now, s.goes(now), overloaded())
	}
	for range overloadRounds - 1 {
		until := s.waits(now, Refusal)
		assert.GreaterOrEqual(t, until.Sub(at(now)).Seconds(), 2.)
		assert.LessOrEqual(t, until.Sub(at(now)).Seconds(), 2.2)
		now += 2.2
		probe := s.goes(now)
		s.waits(now, FirstAnswer)
		s.hears(now, probe, overloaded())
	}
	s.waits(now, Refusal)
	now += 2.2
	s.hears(now, s.goes(now), overloaded())
	for range 100 { // each request for itself
		s.hears(now, s.goes(now), overloaded())
	}
	s.hears(now, s.goes(now), header.Reading{}) // served, and it begins anew
	for range overloadAnswers {
		s.hears(now, s.goes(now), overloaded())
	}
	s.waits(now, Refusal)
	assert.Equal(t, Lesson{}, s.k.Lesson(at(now+10)))
}
