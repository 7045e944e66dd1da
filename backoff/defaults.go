package backoff

import (
	"math/rand/v2"
	"time"
)

// Defaults returns the default settings: four retries within 45 minutes, no
// wait of more than 20 minutes, and the default check and policy.
//
// If the server does not say how long to wait, the retries come 0.45 to 0.75 (1 to 1.1 after a
// 503 or 529), 2.65 to 3.25, 6.65 to 7.55 and 15 to 16.2 seconds after the first attempt, not counting
// the time that the attempts themselves take.
func Defaults() Config {
	return Config{
		Check:         DefaultCheck,
		Policy:        defaultPolicy{},
		Retries:       4,
		MaxElapsed:    45 * time.Minute,
		MaxServerWait: 20 * time.Minute,
	}
}

// defaultPolicy is the policy of [Defaults]. Its times follow the 1, 3, 7 and 15
// seconds that most clients take. They differ where that helps: the first retry
// bridges a brief failure; every wait is random, so that callers that failed together
// do not retry together; and the last retry never comes before 15 seconds, so that
// this client survives every outage that another client would. The random parts are
// so short that a lasting failure is reported only 4 % later, on average, than by such
// a client.
type defaultPolicy struct{}

// defaultWaits are the shortest waits before the first retries; defaultSpread is
// what is added to each at the most.
var defaultWaits = [...]time.Duration{450 * time.Millisecond, 2200 * time.Millisecond, 4 * time.Second, 8350 * time.Millisecond}

// overloadedWaits are the shortest waits of defaultPolicy after first responses that say that the server is
// overloaded, and overloadedSpread what is added at the most. Some servers answer so when a limit of a second is
// reached, and a second later it is open. The second retry comes no later than after other failures.
var overloadedWaits = [...]time.Duration{time.Second, 1850 * time.Millisecond}

const overloadedSpread = 100 * time.Millisecond

const (
	defaultSpread = 300 * time.Millisecond
	defaultMost   = 30 * time.Second // for further retries
)

// Delay implements [Policy].
func (defaultPolicy) Delay(n int, _ time.Duration) time.Duration {
	random := source(rand.Uint64N)
	if n > len(defaultWaits) {
		return random.between(defaultMost/2, defaultMost)
	}
	least := defaultWaits[max(n, 1)-1]
	return random.between(least, least+defaultSpread)
}
