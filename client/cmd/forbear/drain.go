package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// lingerTime is how long no request must come before a proxy that ends closes idle connections,
// and mostLinger how long it waits for that. A program that sends one request after the other
// would lose one that is on its way when its connection is closed.
const (
	lingerTime = 100 * time.Millisecond
	mostLinger = 10 * lingerTime
)

// drain answers all that wait, then writes the memory.
func (s *proxyServer) drain() error {
	ctx, cancel := context.Background(), func() {}
	if s.flags.grace > 0 {
		ctx, cancel = context.WithTimeout(ctx, s.flags.grace)
	}
	defer cancel()
	s.log.Info("ending", "waiting", s.transport.Queue().Stats().Waiting)
	s.gateway.ending.Store(true)
	s.idle.stop()
	s.serveLast()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("requests were still waiting: %w", errors.Join(err, s.server.Close()))
	}
	s.transport.Close()
	s.shared.close(s.log)
	if s.flags.memory != "" {
		err = errors.Join(err, writeMemory(s.flags.memory, s.transport.Memory()))
	}
	return err
}

// serveLast waits until hardly a request comes any more over the connections that are open.
// The response to each says that it is the last one.
func (s *proxyServer) serveLast() {
	const step = 5 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	seen, quiet := s.gateway.requests.Load(), time.Duration(0)
	for waited := time.Duration(0); waited < max(mostLinger, s.linger) && quiet < s.linger && s.idle.open.Load() > 0; waited += step {
		<-tick.C
		quiet += step
		if now := s.gateway.requests.Load(); now != seen {
			seen, quiet = now, 0
		}
	}
}
