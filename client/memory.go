package client

import (
	"fmt"
	"maps"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A Memory holds the limits that were learned from refusals of APIs that announce none,
// by key. It is plain data: write it to a file as JSON, for example, and pass it to
// [WithMemory] in the next run. Keys are hashes; a Memory holds no credential.
type Memory map[string]throttle.Lesson

// Memory returns what was learned so far. It omits keys for which nothing was learned.
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

// WithMemory gives a client the limits that an earlier one learned, so that it need not
// learn them from refusals again after a restart. An invalid lesson is an error.
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
