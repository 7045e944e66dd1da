package throttle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestStatusAsText(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := Status{}
	assert.Equal(t, "no limit known", s.String())
	s = Status{
		Windows: []WindowStatus{
			{Name: "minute", Limit: 60, Credit: 12, Latest: noon},
			{Limit: 5, Credit: 5},
			{Name: Learned, Limit: -1, Rate: 4.9876},
			{Name: "tokens", Limit: -1, Credit: 7},
		},
		Hold: noon.Add(time.Minute), InFlight: 3,
	}
	assert.Equal(t, "minute: 12 of 60 left until 12:00:00, limit: 5 of 5 left, "+Learned+": 4.99 a second, "+
		"tokens: 7 left, refused until 12:01:00, 3 under way", s.String())
}
