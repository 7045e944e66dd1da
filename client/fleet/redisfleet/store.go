// Package redisfleet is the store of a fleet in Redis, or a server that speaks its
// protocol and runs Lua, such as Valkey.
package redisfleet

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed parts.lua
var parts string

//go:embed script.lua
var source string

var script = redis.NewScript(parts + source)

// A Store holds the ledgers of a fleet in Redis. It implements fleet.Store.
type Store struct {
	client redis.UniversalClient
	prefix string
}

// An Option changes what [New] makes.
type Option func(*Store) error

// DefaultPrefix is what the names of all keys and of the channel begin with.
const DefaultPrefix = "forbear:"

// WithPrefix sets what the names of all keys and of the channel begin with. The default
// is DefaultPrefix.
func WithPrefix(prefix string) Option {
	return func(s *Store) error {
		if prefix == "" || strings.ContainsAny(prefix, "{} \r\n*?[]\\") {
			return fmt.Errorf("redisfleet: WithPrefix: %q cannot be a prefix", prefix)
		}
		s.prefix = prefix
		return nil
	}
}

// New returns a store over a client of go-redis. Addresses, TLS, users and passwords are
// the client's; the store does not close it.
func New(c redis.UniversalClient, opts ...Option) (*Store, error) {
	if c == nil {
		return nil, errors.New("redisfleet: New got no client")
	}
	s := &Store{client: c, prefix: DefaultPrefix}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// channel is where the news of all keys is published.
func (s *Store) channel() string { return s.prefix + "news" }

// connect is how long a call may take, whatever its context says.
const connect = 2 * time.Second

// Exchange implements fleet.Store. A new connection takes several round trips, and would never be made if
// that had to be within the time of a call: so a call goes on when its context is over, for a while.
func (s *Store) Exchange(ctx context.Context, key string, report []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connect)
	defer cancel()
	keys := []string{s.prefix + "{" + key + "}"}
	reply, err := script.Run(ctx, s.client, keys, report, s.channel(), key).Text()
	return []byte(reply), err
}

// retry is how long the store waits before it subscribes again.
const retry = 250 * time.Millisecond

// Listen implements fleet.Store. It uses one connection.
func (s *Store) Listen(hear func(key string, news []byte), lost func()) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var over sync.WaitGroup
	over.Go(func() {
		for ctx.Err() == nil {
			s.listen(ctx, hear, lost)
			select {
			case <-ctx.Done():
			case <-time.After(retry):
			}
		}
	})
	return func() {
		cancel()
		over.Wait()
	}
}

// listen hears news until the connection breaks.
func (s *Store) listen(ctx context.Context, hear func(key string, news []byte), lost func()) {
	sub := s.client.Subscribe(ctx, s.channel())
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() }) // it ends a Receive
	defer func() {
		stop()
		_ = sub.Close() // nothing is lost with it
	}()
	for {
		m, err := sub.Receive(ctx)
		if err != nil {
			return
		}
		switch m := m.(type) {
		case *redis.Subscription:
			lost() // what was published before was not heard
		case *redis.Message:
			if key, news, ok := strings.Cut(m.Payload, " "); ok {
				hear(key, []byte(news))
			}
		}
	}
}
