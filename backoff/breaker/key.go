package breaker

import "github.com/forbear-go/forbear/backoff"

// PerKey returns a function that creates a closed breaker with the given settings for
// each key. Pass it to client.WithBreaker. Keys do not share their failures. If a
// setting is out of range, PerKey returns an error that matches [ErrInvalid].
//
// To use different breakers for some keys, or none, write such a function yourself, with
// [New].
func PerKey(c Config) (func(key string) backoff.Breaker, error) {
	if _, err := New(c); err != nil {
		return nil, err
	}
	return func(string) backoff.Breaker {
		b, err := New(c)
		if err != nil {
			panic(err) // cannot happen: PerKey has validated the settings
		}
		return b
	}, nil
}
