package breaker

import "github.com/forbear-go/forbear/backoff"

// PerKey returns a function that makes a breaker with these settings for each key,
// closed at first: what client.WithBreaker takes. The keys do not share their
// failures. A setting out of range is an error that matches [ErrInvalid].
//
// To use other breakers for some keys, or none, write such a function; what it makes
// are values of [New].
func PerKey(c Config) (func(key string) backoff.Breaker, error) {
	if _, err := New(c); err != nil {
		return nil, err
	}
	return func(string) backoff.Breaker {
		b, err := New(c)
		if err != nil {
			panic(err) // the settings were tried before
		}
		return b
	}, nil
}
