package client

import (
	"crypto/sha256"
	"hash/maphash"
	"net/http"
	"sync/atomic"

	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/header"
)

// An principal is what requests with one key have in common.
type principal struct {
	sum    uint64         // of who spends; it means nothing outside of this process
	key    string         // the hash of who spends
	reader *header.Reader // of the responses of its host
	routes routes
	apis   []*cost.API // that tell what requests to its host cost
}

// accounts remembers the last ones, so that a request costs no slow hash. It grows with
// their number, up to a bound.
type accounts struct {
	slots  atomic.Pointer[slots]
	ousted atomic.Int64 // accounts that had to make room for others, since it grew
}

// slots are as many as a power of two.
type slots []atomic.Pointer[principal]

const (
	fewSlots  = 256
	manySlots = 1 << 14
)

func (s slots) of(sum uint64) *atomic.Pointer[principal] { return &s[sum&uint64(len(s)-1)] }

// find returns the account with a sum, or nil.
func (a *accounts) find(sum uint64) *principal {
	if s := a.slots.Load(); s != nil {
		if known := s.of(sum).Load(); known != nil && known.sum == sum {
			return known
		}
	}
	return nil
}

// add remembers an account. Two that come at once may oust each other: that costs a
// hash more.
func (a *accounts) add(known *principal) {
	s := a.slots.Load()
	if s == nil {
		a.grow(s, fewSlots)
		s = a.slots.Load()
	}
	old := s.of(known.sum).Swap(known)
	if old == nil || old.sum == known.sum || len(*s) >= manySlots {
		return
	}
	if a.ousted.Add(1) > int64(len(*s)) {
		a.grow(s, 4*len(*s))
	}
}

// grow makes place for n.
func (a *accounts) grow(from *slots, n int) {
	to := make(slots, n)
	if from != nil {
		for i := range *from {
			if known := (*from)[i].Load(); known != nil {
				to.of(known.sum).Store(known)
			}
		}
	}
	if a.slots.CompareAndSwap(from, &to) {
		a.ousted.Store(0)
	}
}

// accountSeed makes the sums unpredictable.
var accountSeed = maphash.MakeSeed()

// account returns whose quota a request spends.
func (t *Transport) account(req *http.Request, c *call) *principal {
	s := spender{url: req.URL}
	t.identify(&s, req, c)
	sum := s.sum()
	known := t.accounts.find(sum)
	if known == nil {
		known = &principal{sum: sum, key: s.hash(), reader: t.readers.of(req.URL), apis: cost.ForHost(req.URL.Hostname(), t.apis...)}
		t.accounts.add(known)
	}
	return known
}

// identify determines whose quota the request spends: the context of the request decides,
// or else the key function, or else the request's host and credentials.
func (t *Transport) identify(s *spender, req *http.Request, c *call) {
	if s.key = c.key; s.key == "" && t.keyOf != nil {
		s.key = t.told(req)
	}
	if s.told = s.key != ""; !s.told {
		s.look(req)
	}
}

// sum returns a fast hash. It differs if the host or the credentials differ, and is equal for
// equal requests. Different spellings of one credential may give different sums, which only
// costs another hash.
func (s *spender) sum() uint64 {
	const odd = 0x9e3779b97f4a7c15
	sum := maphash.String(accountSeed, s.url.Host)*odd + implied(s.url)
	if s.told {
		return sum*odd + maphash.String(accountSeed, s.key)*odd
	}
	for i := range s.n { // in any order, as that of a header's fields is random
		c := &s.shown[i]
		one := maphash.String(accountSeed, c.name)*odd + maphash.String(accountSeed, c.value)
		one *= odd
		sum += one ^ one>>32
	}
	return sum
}

// hash returns the key of the queue, which does not reveal the credentials. A key that the
// caller set is the same for all hosts.
func (s *spender) hash() string {
	var room [256]byte
	text := room[:0]
	if s.told {
		text = append(append(text, 1), s.key...)
	} else {
		text = s.appendIdentity(text)
	}
	hash := sha256.Sum256(text)
	return string(hash[:])
}

// told returns the key from the caller's function, which may panic.
func (t *Transport) told(req *http.Request) (key string) {
	told := false
	defer func() {
		if !told {
			closeBody(req)
		}
	}()
	key = t.keyOf(req)
	told = true
	return key
}
