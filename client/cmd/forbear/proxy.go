package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/observe"
	"github.com/forbear-go/forbear/client/page"
	"github.com/redis/go-redis/v9"
)

var proxyCommand = command{
	name:    "proxy",
	summary: "forward requests as the limits of their APIs allow",
	help: `usage: forbear proxy -to url [flags]
       forbear proxy -config file [flags]

Proxy accepts requests from programs in any language and forwards each one as soon as
the API will accept it. The requests of all programs wait in one queue, so that they share
each quota. Proxy retries a request that the API refuses where that is safe.

	forbear proxy -to https://api.github.com &
	curl http://localhost:8080/zen

The page at /-/ shows all limits and the requests that wait, /-/metrics exports them to
Prometheus, and /-/health answers 200 while the proxy accepts requests. On SIGTERM the
proxy accepts no more requests, answers those that wait, and exits. On SIGHUP it rereads
the configuration file; waiting requests stay in the queue.

Each line of the configuration file is one of these, and # begins a comment:

	to /github/ https://api.github.com     where requests below /github/ go
	name X-Team                            the header field that names a key on the page
	rule hourly limit=300/1h               a limit that the API does not announce
	rule uploads match="POST /files" limit=10/1s:burst=5 in-flight=2 scope=global

A rule may have several limits. Its scope says which requests count together: those of a
key (host and credential, the default), of a host, or all of them (global).

Proxies with the same -redis share each quota, on any machine; each obeys its own rules.
They need the same secret of at least 16 bytes, in the file -fleet-secret or in the
environment variable FORBEAR_FLEET_SECRET. The password for Redis is in the file
-redis-password or in FORBEAR_REDIS_PASSWORD. While Redis is away, each proxy continues as
if it were alone; the log, /-/health, the page and the metrics say so.

	openssl rand -hex 32 > secret    # once; copy it to all machines
	forbear proxy -to https://api.github.com -redis rediss://redis.example:6379 -fleet-secret secret`,
	run: proxy,
}

// proxyFlags are the flags of the command.
type proxyFlags struct {
	listen, config, memory string
	to                     string
	forward, public        bool
	replay                 int64
	fleet                  fleetFlags
	retries                int
	maxWait, grace         time.Duration
}

func (p *proxyFlags) declare(flags *flag.FlagSet) {
	flags.StringVar(&p.listen, "listen", "localhost:8080", "the `address` to listen on")
	flags.StringVar(&p.to, "to", "", "the `url` of the API that requests go to")
	flags.StringVar(&p.config, "config", "", "a `file` with upstreams and rules")
	flags.StringVar(&p.memory, "memory", "", "a `file` in which to keep what is known of limits across a restart")
	flags.StringVar(&p.fleet.redis, "redis", "", "share quotas with other proxies through the Redis at this `url`; rediss:// for TLS")
	flags.StringVar(&p.fleet.secret, "fleet-secret", "", "a `file` with the secret that these proxies share")
	flags.StringVar(&p.fleet.password, "redis-password", "", "a `file` with the password for Redis")
	flags.BoolVar(&p.forward, "forward", false, "also act as a forward proxy: send requests for http:// URLs to any host")
	flags.BoolVar(&p.public, "public", false, "show the page and metrics to other machines, too")
	flags.Int64Var(&p.replay, "replay", 64<<10, "keep bodies of at most this many `bytes` for retries; longer ones are streamed")
	flags.IntVar(&p.retries, "retries", backoff.Defaults().Retries,
		"how `many` times to retry a request where that is safe; 0 leaves retries to the programs")
	flags.DurationVar(&p.maxWait, "max-wait", client.DefaultMaxWait, "answer 429 at once if a request would have to wait longer; 0 means no limit")
	flags.DurationVar(&p.grace, "grace", 0, "after SIGTERM, exit after this time even if requests still wait; 0 means no limit")
}

// read checks the flags and reads the configuration that they name.
func (p *proxyFlags) read() (*config, error) {
	switch {
	case p.replay < 0:
		return nil, fmt.Errorf("-replay must not be negative, got %d", p.replay)
	case p.grace < 0:
		return nil, fmt.Errorf("-grace must not be negative, got %v", p.grace)
	case p.fleet.redis == "" && (p.fleet.secret != "" || p.fleet.password != ""):
		return nil, errors.New("-fleet-secret and -redis-password need -redis")
	}
	if _, _, err := net.SplitHostPort(p.listen); err != nil {
		return nil, fmt.Errorf("-listen: %w", err)
	}
	c := new(config)
	if p.config != "" {
		var err error
		if c, err = readConfig(p.config); err != nil {
			return nil, err
		}
	}
	if p.to != "" {
		if err := c.addUpstream("/", p.to); err != nil {
			return nil, err
		}
	}
	if len(c.upstreams) == 0 && !p.forward {
		return nil, errors.New("nowhere to send requests: use -to, -config or -forward")
	}
	return c, nil
}

func proxy(ctx context.Context, flags *flag.FlagSet, args []string, s *streams) error {
	var p proxyFlags
	p.declare(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	c, err := p.read()
	if err != nil {
		return usageError{err}
	}
	log := slog.New(slog.NewTextHandler(s.err, nil))
	if p.fleet.redis != "" {
		redis.SetLogger(redisLog{log})
	}
	server, err := newProxyServer(&p, c, http.DefaultTransport, log)
	if err != nil {
		return usageError{err}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", p.listen)
	if err != nil {
		return err
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	fmt.Fprintf(s.out, "forbear proxy listens on http://%s, its page is at http://%[1]s/-/\n", listener.Addr())
	return server.run(ctx, listener, again)
}

// A proxyServer is the gateway, its transport and its server.
type proxyServer struct {
	flags     *proxyFlags
	transport *client.Transport
	gateway   *gateway
	shared    *sharing // nil if the proxy is alone
	server    *http.Server
	idle      *idleListener
	linger    time.Duration // how long no request must come over the open connections before they are closed
	log       *slog.Logger
}

func newProxyServer(p *proxyFlags, c *config, base http.RoundTripper, log *slog.Logger) (_ *proxyServer, err error) {
	var shown page.Page
	metrics, exported, err := newMetrics()
	if err != nil {
		return nil, err
	}
	opts := []client.Option{
		client.WithMaxWait(p.maxWait), client.WithRetries(p.retries), client.WithBodyBuffer(p.replay),
		client.WithObserver(shown.Observe), client.WithObserver(metrics.Observe), client.WithObserver(observe.Log(log)),
	}
	for _, r := range c.rules {
		opts = append(opts, client.WithRule(r))
	}
	if p.memory != "" {
		m, err := readMemory(p.memory, log)
		if err != nil {
			return nil, err
		}
		opts = append(opts, client.WithMemory(m))
	}
	var sent outgoing
	if t, ok := base.(*http.Transport); ok {
		own := t.Clone()
		own.DisableCompression = true // what a server compressed reaches the caller as it is
		own.MaxIdleConnsPerHost = 100
		sent.watch(own)
		base = unzipper{own}
	}
	var shared *sharing
	if p.fleet.redis != "" {
		if shared, err = p.fleet.join(log); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				shared.close(log)
			}
		}()
		opts = append(opts, client.WithFleet(shared.fleet))
	}
	transport, err := client.NewTransport(base, opts...)
	if err != nil {
		return nil, err
	}
	if err := metrics.Watch(transport); err != nil {
		return nil, err
	}
	closing, closed := context.WithCancel(context.Background())
	admin := http.NewServeMux()
	admin.Handle("/-/{$}", until(closing, shown.Handler(transport)))
	admin.Handle("/-/metrics", exported)
	admin.HandleFunc("/-/health", shared.health)
	g := newGateway(c, transport, admin, log)
	g.forward, g.public, g.replay, g.sent = p.forward, p.public, p.replay, sent.sent
	server := &http.Server{
		Handler: g, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: parkAfter, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(closed) // pages that are open do not end by themselves
	return &proxyServer{p, transport, g, shared, server, nil, lingerTime, log}, nil
}

// until returns a handler whose requests end with ctx.
func until(ctx context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		h.ServeHTTP(w, r.WithContext(own))
	})
}

// run serves until ctx ends and all requests are answered. It reads the configuration
// again whenever it is told.
func (s *proxyServer) run(ctx context.Context, listener net.Listener, again <-chan os.Signal) error {
	serving, served := context.WithCancel(context.WithoutCancel(ctx))
	defer served()
	go giveBack(serving, &s.gateway.requests, releaseMemory)
	failed := make(chan error, 1)
	s.idle = newIdleListener(listener, idleTimeout)
	s.server.ConnState, s.server.ConnContext = s.idle.connState, withConn
	go func() { failed <- s.server.Serve(s.idle) }()
	for {
		select {
		case err := <-failed:
			return err
		case <-again:
			if err := s.reload(); err != nil {
				s.log.Error("configuration not changed", "error", err)
			} else {
				s.log.Info("configuration changed")
			}
			continue
		case <-ctx.Done():
		}
		return s.drain()
	}
}

// reload puts the configuration file into force, all of it or nothing.
func (s *proxyServer) reload() error {
	c, err := s.flags.read()
	if err != nil {
		return err
	}
	if err := reshaped(s.gateway.config.Load().rules, c.rules); err != nil {
		return err
	}
	line := s.transport.Queue()
	for _, r := range c.rules {
		if len(r.Limits) > 0 {
			err = errors.Join(err, line.SetLimits(r.Name, r.Limits...))
		}
		if r.MaxInFlight > 0 {
			err = errors.Join(err, line.SetMaxInFlight(r.Name, r.MaxInFlight))
		}
	}
	s.gateway.config.Store(c)
	return err
}
