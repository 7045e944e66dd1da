package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/client/fleet"
	"github.com/forbear-go/forbear/client/fleet/redisfleet"
	"github.com/redis/go-redis/v9"
)

// The environment variables that take the place of files.
const (
	secretVariable   = "FORBEAR_FLEET_SECRET"   //nolint:gosec // it is only the name
	passwordVariable = "FORBEAR_REDIS_PASSWORD" //nolint:gosec // it is only the name
)

// fleetFlags say with which other proxies a proxy shares its quotas.
type fleetFlags struct{ redis, secret, password string }

// options returns how to reach Redis, and the secret of the fleet.
func (f *fleetFlags) options() (*redis.Options, []byte, error) {
	u, err := url.Parse(f.redis)
	if err != nil {
		return nil, nil, errors.New("-redis: want a URL such as redis://localhost:6379") // err has the URL, which may have a password
	}
	if _, set := u.User.Password(); set {
		return nil, nil, fmt.Errorf("-redis: the URL must not have a password, which other users could see; use -redis-password or %s", passwordVariable)
	}
	opts, err := redis.ParseURL(f.redis)
	if err != nil {
		return nil, nil, fmt.Errorf("-redis: %w", err)
	}
	secret, err := readSecret("-fleet-secret", f.secret, secretVariable)
	if err != nil {
		return nil, nil, err
	}
	if len(secret) < fleet.MinSecret {
		return nil, nil, fmt.Errorf("-redis: want a secret of at least %d bytes, the same for all proxies, in the file -fleet-secret or in %s; got %d bytes",
			fleet.MinSecret, secretVariable, len(secret))
	}
	password, err := readSecret("-redis-password", f.password, passwordVariable)
	if err != nil {
		return nil, nil, err
	}
	opts.Password = string(password)
	opts.MaxRetries, opts.ContextTimeoutEnabled = -1, true // the fleet decides how long to wait
	return opts, secret, nil
}

// readSecret reads a secret from a file or, if none is named, from the environment.
func readSecret(flag, file, variable string) ([]byte, error) {
	if file == "" {
		return []byte(os.Getenv(variable)), nil
	}
	text, err := os.ReadFile(file) //nolint:gosec // the user names it
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return bytes.TrimRight(text, "\r\n"), nil
}

// A sharing is a proxy's membership of a fleet.
type sharing struct {
	fleet  *fleet.Fleet
	client *redis.Client
	first  sync.WaitGroup // the first call
}

// join makes the proxy a member of the fleet. Redis need not be there.
func (f *fleetFlags) join(log *slog.Logger) (*sharing, error) {
	opts, secret, err := f.options()
	if err != nil {
		return nil, err
	}
	c := redis.NewClient(opts)
	inRedis, err := redisfleet.New(c)
	if err != nil {
		return nil, err
	}
	store := &watchedStore{Store: inRedis, log: log}
	member, err := fleet.New(store, secret)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	s := &sharing{fleet: member, client: c}
	s.first.Go(func() { store.note(s.ping(context.Background())) }) // the log tells at once if it is not there
	return s, nil
}

// ping returns an error if the store does not answer.
func (s *sharing) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fleet.DefaultTimeout)
	defer cancel()
	return s.client.Ping(ctx).Err()
}

// away reports whether the store does not answer, or did not answer the last call for a key.
func (s *sharing) away(ctx context.Context) bool {
	return slices.ContainsFunc(s.fleet.Status(), func(k fleet.KeyStatus) bool { return k.Away }) || s.ping(ctx) != nil
}

// health says that the proxy takes requests, and whether it shares its quotas.
func (s *sharing) health(w http.ResponseWriter, r *http.Request) {
	switch {
	case s == nil:
		fmt.Fprintln(w, "ok")
	case s.away(r.Context()):
		fmt.Fprintln(w, "ok, but Redis cannot be used: quotas are not shared with other proxies")
	default:
		fmt.Fprintln(w, "ok, quotas are shared with other proxies")
	}
}

// close gives back what the proxy holds.
func (s *sharing) close(log *slog.Logger) {
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := errors.Join(s.fleet.Close(ctx), s.client.Close()); err != nil {
		log.Warn("leaving the fleet", "error", err)
	}
	s.first.Wait()
}

// A watchedStore logs when its store goes away and when it is back.
type watchedStore struct {
	fleet.Store

	log  *slog.Logger
	away atomic.Bool
}

// Exchange implements [fleet.Store].
func (s *watchedStore) Exchange(ctx context.Context, key string, report []byte) ([]byte, error) {
	reply, err := s.Store.Exchange(ctx, key, report)
	s.note(err)
	return reply, err
}

// note takes in how a call to the store ended.
func (s *watchedStore) note(err error) {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, redis.ErrClosed): // it was not the store's fault
	case err != nil && !s.away.Swap(true):
		s.log.Warn("cannot use Redis: quotas are not shared with other proxies", "error", err)
	case err == nil && s.away.Swap(false):
		s.log.Info("Redis is back: quotas are shared again")
	}
}

// redisLog is where go-redis writes what goes wrong.
type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "redis: "+fmt.Sprintf(format, args...))
}
