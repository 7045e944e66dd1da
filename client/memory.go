package client

import (
	"encoding/json"
	"maps"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/client/internal/sharing"
	"github.com/forbear-go/forbear/client/internal/spread"
	"github.com/forbear-go/forbear/queue"
	"github.com/forbear-go/forbear/throttle"
	"github.com/forbear-go/forbear/throttle/limit"
)

// A Memory holds what a client knows of limits, by key: the limits that the API announced,
// until they reset, and those learned from refusals if it announces none. It is plain data:
// write it to a file as JSON, for example, and pass it to [WithMemory] in the next run. Keys
// are hashes; a Memory holds no credential.
type Memory map[string]throttle.Lesson

// Memory returns what the client knows now. It omits keys for which there is nothing to
// remember, and the limits of single routes.
func (t *Transport) Memory() Memory {
	m := make(Memory)
	now := time.Now()
	t.queue.Each(func(key string, own limit.Limiter, _ queue.Stats) {
		if lesson := own.(*keyState).whole.Lesson(now); !lesson.IsZero() {
			m[nameOf(key)] = lesson
		}
	})
	return m
}

// UnmarshalJSON reads a memory key by key. It ignores the parts of a key that it cannot
// read; it returns an error only if the text is not a JSON object.
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

// WithMemory lets a client start with what an earlier one knew, so that a restart does not
// cause refusals, nor a first request that all others wait for. The memory is a belief, which
// the first response confirms or corrects. If it says that nothing is left, a request that
// cannot wait so long is sent nevertheless, and one that can wait is sent a minute after the
// API's last response. After each run in which the API refuses it, the next run waits longer.
// WithMemory ignores what is invalid in m, or too old to be of use.
func WithMemory(m Memory) Option {
	return func(s *settings) error { s.memory = maps.Clone(m); return nil }
}

// Forget discards what is known of the limits of req's key, on all routes: the limits that
// responses announced, the waits that they asked for, and the limits learned from
// refusals. Requests of the key that wait are reconsidered at once; as after a start, one
// goes first. Use Forget when the program knows something that the client cannot see yet,
// such as a token renewed below the client, or a new plan. It does not affect rules,
// priorities and requests in flight.
func (t *Transport) Forget(req *http.Request) {
	who := t.account(req, callOptionsOf(req.Context()))
	t.update(who.key, (*keyState).forget)
}

// forget drops all limits of the key. Attempts in flight keep the limiters that admitted them.
func (l *keyState) forget(now time.Time) {
	l.whole = newThrottle(l.policy, now)
	l.shown, l.shownBy = sharing.Fingerprint{}, nil
	l.buckets, l.limits, l.apart, l.above, l.shapes = nil, nil, false, above{}, nil
	l.before, l.patience = nil, time.Time{}
	l.spread, l.cooldowns = spread.Estimator{}, nil
	l.counters, l.models = nil, nil
	l.outages, l.served = nil, 0
	l.epoch++
}

// late reports whether an attempt was sent before the last Forget, so that its response is ignored.
func (l *keyState) late(a *attempt) bool { return a.epoch != l.epoch }
