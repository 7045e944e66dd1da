// Package fleet shares rate limits between processes: many members, one quota.
//
// Each member spends what a ledger in a store grants it. The ledger grants no more than
// what responses said remains, less all that was granted since and may not have been
// counted yet. So the members together never exceed a limit, whatever is lost, late or
// repeated between them and the store. While the store is out of reach a member spends
// what it holds, and then goes on as without a fleet.
//
//	f, err := fleet.New(store, secret)
//	hc, err := client.New(client.WithFleet(f))
//
// How it works and what it does not promise is told in docs/fleet.md.
package fleet

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
)

// A Fleet is one process's membership. It implements [client.Fleet], and is safe for
// concurrent use. Several transports may share it.
type Fleet struct {
	store   Store
	secret  []byte
	lease   time.Duration
	timeout time.Duration
	members int
	stop    func()

	calls  sync.WaitGroup
	mu     sync.Mutex
	seats  map[string][]seat // by the name of their key in the store
	closed bool
}

// A seat is what one transport has of one key, or of one limit of a rule.
type seat interface {
	hearNews(data []byte)
	missed()
	close(ctx context.Context) error
	status() KeyStatus
}

// An Option changes what [New] makes.
type Option func(*Fleet) error

// The defaults.
const (
	DefaultLease   = 30 * time.Second
	DefaultTimeout = 250 * time.Millisecond
	DefaultMembers = 8
)

// MinSecret is how many bytes a secret has at the least.
const MinSecret = 16

// grace returns for how much longer than its lease others believe a member to be alive: what it sent may still be
// on its way.
func (f *Fleet) grace() time.Duration {
	return min(max(f.lease/graceOf, graceLeast), graceMost)
}

const (
	graceOf    = 4 // it is this part of the lease
	graceLeast = time.Second
	graceMost  = 2 * time.Second
)

// ErrClosed is the error of a fleet that was closed.
var ErrClosed = errors.New("fleet: closed")

// WithLease sets for how long a member may spend what it holds without a word from the
// store. What a process held that was killed is free after that. The default is
// DefaultLease.
func WithLease(d time.Duration) Option {
	return func(f *Fleet) error {
		if d < time.Second || d > time.Hour {
			return fmt.Errorf("fleet: WithLease: the lease must be between a second and an hour, got %v", d)
		}
		f.lease = d
		return nil
	}
}

// WithTimeout sets how long a call to the store may take. The default is DefaultTimeout.
func WithTimeout(d time.Duration) Option {
	return func(f *Fleet) error {
		if d <= 0 {
			return fmt.Errorf("fleet: WithTimeout: the timeout must be positive, got %v", d)
		}
		f.timeout = d
		return nil
	}
}

// WithMembers sets how many processes to believe in while the store has yet to be reached for
// the first time: each keeps to so small a part of the limits of rules, and begins with so
// small a part of announced ones. The default is DefaultMembers.
func WithMembers(n int) Option {
	return func(f *Fleet) error {
		if n < 1 {
			return fmt.Errorf("fleet: WithMembers: the number must be positive, got %d", n)
		}
		f.members = n
		return nil
	}
}

// New returns a member of the fleet that shares a store and a secret. The secret, of at
// least MinSecret bytes, is what the names of keys in the store are made with: who reads
// the store without it cannot tell whose keys they are, and members with another secret
// share nothing.
func New(store Store, secret []byte, opts ...Option) (*Fleet, error) {
	if store == nil {
		return nil, errors.New("fleet: New got no store")
	}
	if len(secret) < MinSecret {
		return nil, fmt.Errorf("fleet: the secret must have at least %d bytes, got %d", MinSecret, len(secret))
	}
	f := &Fleet{
		store: store, secret: slices.Clone(secret), lease: DefaultLease, timeout: DefaultTimeout,
		members: DefaultMembers, seats: make(map[string][]seat),
	}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(f); err != nil {
			return nil, err
		}
	}
	f.stop = store.Listen(f.hear, f.missed)
	return f, nil
}

// name returns the name of a key in the store.
func (f *Fleet) name(key string) string {
	h := hmac.New(sha256.New, f.secret)
	h.Write([]byte("forbear fleet 10\x00" + key)) // never fails
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Join implements [client.Fleet].
func (f *Fleet) Join(key string, h client.Host) client.Share {
	return newMember(f, f.name(key), h)
}

// Members implements [client.Fleet].
func (f *Fleet) Members() int { return f.members }

// enter makes a seat known that is in use, and may hold its lock. It reports whether the fleet is open.
func (f *Fleet) enter(key string, s seat) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seats[key] = append(f.seats[key], s)
	return !f.closed
}

// leave forgets a seat that is not in use. It may hold its lock.
func (f *Fleet) leave(key string, s seat) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rest := slices.DeleteFunc(f.seats[key], func(o seat) bool { return o == s })
	if f.seats[key] = rest; len(rest) == 0 {
		delete(f.seats, key)
	}
}

// hear passes news on.
func (f *Fleet) hear(key string, data []byte) {
	f.mu.Lock()
	seats := slices.Clone(f.seats[key])
	f.mu.Unlock()
	for _, s := range seats {
		s.hearNews(data)
	}
}

// missed has all ask that wait for news.
func (f *Fleet) missed() {
	for _, s := range f.all() {
		s.missed()
	}
}

func (f *Fleet) all() (all []seat) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, seats := range f.seats {
		all = append(all, seats...)
	}
	return all
}

// Close gives back what this process holds, as far as the context allows. From then on it
// goes on as without a fleet. It returns the error of the store, if there was one.
func (f *Fleet) Close(ctx context.Context) error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return ErrClosed
	}
	f.closed = true
	f.mu.Unlock()
	f.stop()
	var errs []error
	for _, s := range f.all() {
		if err := s.close(ctx); err != nil {
			errs = append(errs, err)
		}
	}
	over := make(chan struct{})
	go func() {
		f.calls.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done():
		errs = append(errs, ctx.Err())
	}
	return errors.Join(errs...)
}

// A KeyStatus is what a fleet believes of one key.
type KeyStatus struct {
	// Key is the name of the key in the store.
	Key string
	// Shared reports whether what the key spends is granted by the fleet. It is not while
	// the store is away, or while there is nothing to share.
	Shared bool
	// Away reports that the store did not answer the last call.
	Away bool
	// Members is how many processes share the key, as far as was heard last.
	Members int
	// Held is how many units of cost this process may spend without another call.
	Held int
	// Calls counts the calls to the store, and Failed those that failed.
	Calls, Failed int
}

// Status returns what is believed of each key, in the order of their names.
func (f *Fleet) Status() []KeyStatus {
	seats := f.all()
	all := make([]KeyStatus, 0, len(seats))
	for _, s := range seats {
		all = append(all, s.status())
	}
	slices.SortFunc(all, func(a, b KeyStatus) int { return strings.Compare(a.Key, b.Key) })
	return all
}
