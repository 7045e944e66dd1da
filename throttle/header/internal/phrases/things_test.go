package phrases

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestLimitsOther tells limits of requests from limits of what is like them.
func TestLimitsOther(t *testing.T) {
	for text, limited := range map[string]bool{
		"Too many requests in this minute":                                  true,
		"Too many requests":                                                 true,
		"Too many queries in one request: 51":                               false,
		"Too many queries in a single document":                             false,
		"Exceeded the number of requests per document per minute":           true,
		"Request limit per workflow exceeded":                               false,
		"Number of requests in the same batch exceeded":                     false,
		"Feature request limit reached":                                     false,
		"Service request limit reached":                                     true,
		"Too many requests to join":                                         false,
		"Too many requests to this endpoint":                                true,
		"Query limit exceeded: at most 500 terms":                           false,
		"Query limit exceeded: at most 500 queries per hour":                true,
		"Query limit exceeded: at most 500 per hour":                        true,
		"Daily quota of cod exceeded":                                       false,
		"Daily quota of 500 requests exceeded":                              true,
		"You exceeded the daily quota of your key":                          true,
		"Daily quota exceeded":                                              true,
		"The hourly limit of labor was exceeded":                            false,
		"This license key has reached its usage limit":                      false,
		"You have reached your usage limit":                                 true,
		"The rate limit of this route exceeds that of the service":          false,
		"Request rate exceeds the rate limit of this route":                 true,
		"Too many requests in this multicall. Too many requests per second": true,
	} {
		assert.Equal(t, limited, SaysLimited(Plain(text)), text)
	}
}

// TestIsAboutField tells the names of fields from words.
func TestIsAboutField(t *testing.T) {
	for text, field := range map[string]bool{
		"requests_per_minute exceeds the maximum of 6000":         true,
		"Argument requestsPerMinute exceeds 600":                  true,
		"limits.requests_per_second: value 900 exceeds 500":       true,
		"Request rate exceeds the limit":                          false,
		"Your requests per minute exceeds the maximum of 60":      false,
		"requests_per_minute limit exceeded":                      false,
		"API_CALLS exceeds the limit":                             false,
		"Rate limit exceeded: your rate exceeds requests_per_day": false,
	} {
		assert.Equal(t, field, IsAboutField(text), text)
	}
}
