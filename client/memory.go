package client

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A Memory is what a client knows of limits, by key: those that the API announced, until
// they reset, and what its refusals taught where it announces none. It is plain data, to be
// written to a file as JSON, say, and given to the next run with [WithMemory]. Keys are
// hashes; it holds no credential.
type Memory map[string]throttle.Lesson

// Memory returns what is known now. It leaves out keys of which there is nothing to
// remember, and limits of single routes.
func (t *Transport) Memory() Memory {
	m := make(Memory)
	now := time.Now()
	t.line.Each(func(key string, own limit.Limiter, _ queue.Stats) {
		if lesson := own.(*learned).whole.Lesson(now); !lesson.IsZero() {
			m[nameOf(key)] = lesson
		}
	})
	return m
}

// UnmarshalJSON reads a memory key by key. It ignores what it cannot read of a key; only
// text that is no JSON object is an error.
func (m *Memory) UnmarshalJSON(text []byte) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		return err
	}
	*m = make(Memory, len(keys))
	for key, text := range keys {
		var lesson throttle.Lesson
		if json.Unmarshal(text, &lesson) == nil {
			(*m)[key] = lesson
		}
	}
	return nil
}

// WithMemory lets a client begin with what an earlier one knew, so that a restart does not
// begin with refusals, nor with one request that all others wait for. It is a belief, which
// the first response confirms or corrects: where it says that nothing is left, a request that
// cannot wait so long goes nevertheless, and one that can goes a minute after the API was
// last heard of. With each run in which the API refuses it, the next one waits longer.
// What is impossible in m, or too old to be of use, is ignored.
func WithMemory(m Memory) Option {
	return func(s *settings) error { s.memory = maps.Clone(m); return nil }
}
