package clienttest

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
)

// A Window is a limit as a response shows it.
type Window struct {
	// Name is that of the limit. A single limit may have none.
	Name string
	// Limit is how much is allowed, Remaining how much of it is left.
	Limit, Remaining int
	// Reset is when the window opens again, by the server's clock.
	Reset time.Time
	// Length is the period.
	Length time.Duration
}

// XRateLimit shows the limit with the least left in X-RateLimit-Limit, -Remaining and
// -Reset, the reset in seconds since 1970.
func XRateLimit() Option {
	return optionFunc(func(c *config) {
		c.dialect.Fields |= apiserver.XRateLimit
		c.dialect.Form = apiserver.Epoch
	})
}

// XRateLimitDelta is [XRateLimit] with the reset in seconds from now.
func XRateLimitDelta() Option {
	return optionFunc(func(c *config) {
		c.dialect.Fields |= apiserver.XRateLimit
		c.dialect.Form = apiserver.Delta
	})
}

// Suffixed shows every limit in fields with its name: X-RateLimit-Limit-Minute and so
// on. A limit without a name has that of its period.
func Suffixed() Option { return fields(apiserver.Suffixed) }

// Draft3 shows the limit with the least left in RateLimit-Limit, -Remaining and -Reset,
// as draft-ietf-httpapi-ratelimit-headers-03 has it.
func Draft3() Option { return fields(apiserver.Draft03) }

// Draft7 shows the limit with the least left in the field RateLimit, a dictionary, and
// all of them in RateLimit-Policy.
func Draft7() Option { return fields(apiserver.Draft07 | apiserver.Policy) }

// Draft8 shows all limits in the structured fields RateLimit and RateLimit-Policy.
func Draft8() Option { return fields(apiserver.Structured) }

func fields(f apiserver.Fields) Option {
	return optionFunc(func(c *config) { c.dialect.Fields |= f })
}

// Announce shows limits in a dialect of your own: f writes the header of a response. It
// is called for every response of a request that limits apply to; now is the time of
// the server's clock.
func Announce(f func(h http.Header, now time.Time, windows []Window)) Option {
	return optionFunc(func(c *config) { c.announce = append(c.announce, f) })
}
