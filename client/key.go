package client

import (
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/client/internal/credentials"
	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/client/internal/uneven"
	"github.com/forbear-go/forbear/throttle/cost"
	"github.com/forbear-go/forbear/throttle/header"
)

// A KeyFunc returns the key of a request. Requests with the same key share their limits,
// whatever their hosts. If a KeyFunc returns an empty string, the default key applies:
// the host and the credentials of the request. A KeyFunc must not modify the request and
// must be safe for concurrent use. The client keeps only a hash of the key.
type KeyFunc func(*http.Request) string

// PerHost returns a KeyFunc that combines the key that f returns with the request's host.
func PerHost(f KeyFunc) KeyFunc {
	return func(req *http.Request) string {
		key := f(req)
		if key == "" {
			return ""
		}
		return credentials.Host(req.URL) + "\x00" + key
	}
}

// AuthorizationKey is a [KeyFunc] that considers only the host and the Authorization
// field. If the field is a signature, it considers only the signer, as the default does.
func AuthorizationKey(req *http.Request) string {
	s := credentials.Spender{URL: req.URL}
	if value := req.Header.Get("Authorization"); value != "" {
		s.Authorize(value)
	}
	return s.Identity()
}

// A principal is what requests with one key have in common.
type principal struct {
	sum    uint64         // a fast hash of the key, valid only in this process
	key    string         // a secure hash of the key
	name   string         // the same as text
	reader *header.Reader // for the responses of its host
	host   *host          // whose other keys may spend the same limits; nil if its caller says which do
	shown  sharing.Key    // what responses to its own credential say, guarded by the queue's lock
	routes sharing.Routes
	apis   []*cost.API  // whose rules say what requests to its host cost
	costs  uneven.Costs // as responses told
	tokens atomic.Bool  // a response told a limit on tokens
}

// accounts caches the principals of recent requests, so that a request needs no secure hash. It
// grows with their number, up to a bound.
type accounts struct {
	slots  atomic.Pointer[slots]
	ousted atomic.Int64 // principals replaced by others since the cache grew
}

// slots is the table of the cache. Its length is a power of two.
type slots []atomic.Pointer[principal]

const (
	fewSlots  = 256
	manySlots = 1 << 14
)

func (s slots) of(sum uint64) *atomic.Pointer[principal] { return &s[sum&uint64(len(s)-1)] }

// find returns the principal with a sum, or nil.
func (a *accounts) find(sum uint64) *principal {
	if s := a.slots.Load(); s != nil {
		if known := s.of(sum).Load(); known != nil && known.sum == sum {
			return known
		}
	}
	return nil
}

// add adds a principal. Concurrent calls may undo each other, which costs another hash.
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

// grow makes room for n principals.
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

// account returns the principal whose quota a request spends, which may be that of several credentials.
func (t *Transport) account(req *http.Request, c *callOptions) *principal {
	return t.credential(req, c).spends()
}

// spends returns the principal whose quota p spends.
func (p *principal) spends() *principal {
	if p.host != nil {
		if joint := p.host.joint.Load(); joint != nil {
			return joint
		}
	}
	return p
}

// credential returns the principal of the credentials of a request.
func (t *Transport) credential(req *http.Request, c *callOptions) *principal {
	s := credentials.Spender{URL: req.URL}
	t.identify(&s, req, c)
	sum := s.Sum()
	known := t.accounts.find(sum)
	if known == nil {
		key := s.Hash()
		at := t.hosts.of(req.URL)
		known = &principal{sum: sum, key: key, name: nameOf(key), reader: at.reader, apis: cost.ForHost(req.URL.Hostname(), t.apis...)}
		if s.Key == "" && t.joins {
			known.host = at
		}
		t.accounts.add(known)
	}
	return known
}

// identify determines whose quota the request spends: the context of the request decides,
// or else the key function, or else the request's host and credentials.
func (t *Transport) identify(s *credentials.Spender, req *http.Request, c *callOptions) {
	if s.Key = c.key; s.Key == "" && t.keyOf != nil {
		s.Key = callerSays(t.keyOf, req)
	}
	if s.Key == "" {
		s.Look(req)
	}
}

// callerSays calls a function of the caller with a request. If the function panics, callerSays closes
// the body of the request.
func callerSays(f func(*http.Request) string, req *http.Request) (said string) {
	returned := false
	defer func() {
		if !returned {
			closeBody(req)
		}
	}()
	said = f(req)
	returned = true
	return said
}

// A host is what the client knows of a host.
type host struct {
	reader *header.Reader            // which knows its dialect and remembers the fields that it sends
	keys   sharing.Keys              // guarded by the queue's lock
	joint  atomic.Pointer[principal] // whose quota all of them spend; nil if each has one
}

// watchKeys compares what a response says remains with what the other keys of the host spend.
func (l *keyState) watchKeys(now time.Time, a *attempt) {
	if a.shown == nil {
		return
	}
	at := a.who.host
	if !a.answered {
		at.keys.Lost(a.shown)
		return
	}
	if at.keys.Answered(now, a.taken, a.shown, &a.seenKeys, &a.reading) {
		if at.keys.Joined() {
			at.joint.Store(a.who)
			l.whole.Forget(now) // of it, the others seemed to be strangers
		} else {
			at.joint.Store(nil)
		}
	}
}

// testsKeys reports whether a request goes to see whether keys that were joined spend the same limit.
func (a *attempt) testsKeys(now time.Time) bool {
	return a.shown != nil && a.who.host.keys.MayTest(now, a.shown)
}

// hosts holds the hosts that were used.
type hosts struct {
	dialects []header.Dialect
	byName   sync.Map // of *host
	known    atomic.Int64
}

// maxHosts is how many hosts are known. Beyond that all are dropped, which costs each one slower
// response.
const maxHosts = 1024

// of returns the host of a URL.
func (h *hosts) of(u *url.URL) *host {
	if known, ok := h.byName.Load(u.Host); ok {
		return known.(*host)
	}
	made, err := header.NewReader(u.Host, h.dialects...)
	if err != nil {
		panic(err) // NewTransport has validated the dialects
	}
	if h.known.Add(1) > maxHosts {
		h.byName.Clear()
		h.known.Store(1)
	}
	known, _ := h.byName.LoadOrStore(u.Host, &host{reader: made})
	return known.(*host)
}

// WithKeyNames sets the display names of keys, as [WithKeyName] does for one request: f
// returns the name of a request's key, or an empty string for none. The client calls f for
// each request, by many goroutines at once. The name must not contain a secret.
func WithKeyNames(f func(*http.Request) string) Option {
	return func(s *settings) error {
		if f == nil {
			return errors.New("client: WithKeyNames got no function")
		}
		s.names = f
		return nil
	}
}

// nameFor returns the name that the caller gave to the key of a request.
func (t *Transport) nameFor(c *call) string {
	if c.name != "" || t.names == nil {
		return c.name
	}
	return callerSays(t.names, c.sends)
}
