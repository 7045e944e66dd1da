package refusals

import (
	"math"
	"math/bits"

	"github.com/forbear-go/forbear/throttle/internal/clock"
)

// A concurrencyLog counts the requests served and refused for each number in flight when
// they were sent.
type concurrencyLog struct {
	served, refused [concurrencyClasses]float64
	answers         float64 // all of these
	last            *Burst
}

// A Burst is several requests that were sent at about the same time, so that the server may
// have received them in any order.
type Burst struct {
	began    clock.Instant
	inFlight int64 // at its end
	whole    int64 // the same with the open bodies
}

const (
	// Numbers in flight below concurrencyExact are counted each, larger ones in
	// concurrencyParts classes for each power of two.
	concurrencyExact   = 1 << 5
	concurrencyParts   = 1 << 3
	concurrencyClasses = concurrencyExact + 5*concurrencyParts
	// concurrencyMemory is how many answers count in full. Those before count half, and so on.
	concurrencyMemory = 1024
	// A limit has to explain the refusals exp(concurrencySure) times as well as chance
	// does, and exp of twice that for each limit that turned out to be none. So many
	// requests have to be served within it, no more than such a share of those refused,
	// and at least such a share of the others.
	concurrencySure   = 12
	concurrencyServed = 16
	concurrencyBelow  = 0.02
	concurrencyAbove  = 0.2
)

// send adds a request to the burst that it is part of, and returns that.
func (l *concurrencyLog) send(now, slack clock.Instant, inFlight, whole int64) *Burst {
	if l.last == nil || now > l.last.began+slack {
		l.last = &Burst{began: now}
	}
	l.last.inFlight, l.last.whole = max(l.last.inFlight, inFlight), max(l.last.whole, whole)
	return l.last
}

// observe counts a request that was sent with so many in flight.
func (l *concurrencyLog) observe(inFlight int64, refused bool) {
	if l.answers >= concurrencyMemory {
		for i := range l.served {
			l.served[i] /= 2
			l.refused[i] /= 2
		}
		l.answers /= 2
	}
	l.answers++
	if refused {
		l.refused[concurrencyClass(inFlight)]++
	} else {
		l.served[concurrencyClass(inFlight)]++
	}
}

// estimate returns the limit that explains best which requests were refused, or 0 if
// chance explains it about as well, and the logarithm of how much better it does. vain is how often that was
// an error, and spare how many refusals below the limit do not count.
func (l *concurrencyLog) estimate(vain int, spare float64) (limit int64, sure float64) {
	var served, refused float64
	for i := range l.served {
		served, refused = served+l.served[i], refused+l.refused[i]
	}
	best, chance := float64(int(concurrencySure)<<min(vain, 6)), likelihood(served, refused)
	servedBelow, refusedBelow := 0., 0.
	for i := range l.served {
		servedBelow, refusedBelow = servedBelow+l.served[i], refusedBelow+l.refused[i]
		servedAbove, refusedAbove := served-servedBelow, refused-refusedBelow
		if servedBelow < concurrencyServed || refusedBelow > concurrencyBelow*servedBelow+spare ||
			refusedAbove < concurrencyAbove*(servedAbove+refusedAbove) {
			continue
		}
		if sure := likelihood(servedBelow, refusedBelow) + likelihood(servedAbove, refusedAbove) - chance; sure > best {
			best, limit = sure, concurrencyClassEnd(i)
		}
	}
	if limit == 0 {
		return 0, 0
	}
	return limit, best
}

// likelihood returns the logarithm of how likely it is that of so many requests exactly
// these are served and refused, if each is refused as likely as any other.
func likelihood(served, refused float64) (l float64) {
	if served > 0 {
		l = served * math.Log(served/(served+refused))
	}
	if refused > 0 {
		l += refused * math.Log(refused/(served+refused))
	}
	return l
}

// concurrencyClass returns the class of a number in flight.
func concurrencyClass(n int64) int {
	if n < concurrencyExact {
		return int(max(n, 0))
	}
	power := bits.Len64(uint64(n)) - bits.Len64(concurrencyExact)
	part := int(n/(concurrencyExact/concurrencyParts)>>power) - concurrencyParts
	return min(concurrencyExact+power*concurrencyParts+part, concurrencyClasses-1)
}

// concurrencyClassEnd returns the largest number in flight of a class.
func concurrencyClassEnd(class int) int64 {
	if class < concurrencyExact {
		return int64(class)
	}
	power, part := (class-concurrencyExact)/concurrencyParts, (class-concurrencyExact)%concurrencyParts
	return int64(concurrencyParts+part+1)*concurrencyExact/concurrencyParts<<power - 1
}
