package client

import (
	"fmt"
	"maps"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A Memory is what refusals taught of the limits of APIs that announce none, by key.
// It is plain data, to be written to a file as JSON, say, and given to the next run
// with [WithMemory]. Keys are hashes; it holds no credential.
type Memory map[string]throttle.Lesson

// Memory returns what was learned until now. Keys of which there is nothing to
// remember are left out.
func (t *Transport) Memory() Memory {
	m := make(Memory)
	now := time.Now()
	t.line.Each(func(key string, own limit.Limiter, _ queue.Stats) {
		if lesson := own.(*learned).whole.Lesson(now); lesson != (throttle.Lesson{}) {
			m[nameOf(key)] = lesson
		}
	})
	return m
}

// WithMemory gives a client what an earlier one was taught, so that a restart does
// not begin with refusals. An impossible lesson is an error.
func WithMemory(m Memory) Option {
	return func(s *settings) error {
		now := time.Now()
		for key, lesson := range m {
			k, err := throttle.New(throttle.DefaultPolicy(), now)
			if err == nil {
				err = k.Restore(now, lesson)
			}
			if err != nil {
				return fmt.Errorf("client: memory of key %q: %w", key, err)
			}
		}
		s.memory = maps.Clone(m)
		return nil
	}
}
