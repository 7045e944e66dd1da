package apiserver

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// Server is an API with rate limits. It is an http.Handler, safe for concurrent
// use. It remembers every key that it ever saw.
type Server struct {
	config Config

	mu     sync.Mutex    // guards everything below, and the models
	offset time.Duration // of the clock that clients see
	faults *rand.Rand
	live   []map[string]ratemodel.Model // by rule, then by key
	total  Counts
	byKey  map[string]*Counts
}

// New returns a server as described, or an error if the description is
// impossible.
func New(c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Handler == nil {
		c.Handler = http.HandlerFunc(ok)
	}
	if c.Key == nil {
		c.Key = Credential
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Faults.Status == 0 {
		c.Faults.Status = http.StatusServiceUnavailable
	}
	s := &Server{
		config: c,
		offset: c.ClockOffset,
		faults: rand.New(rand.NewPCG(c.Faults.Seed, 0)),
		live:   make([]map[string]ratemodel.Model, len(c.Rules)),
		byKey:  map[string]*Counts{},
	}
	for i := range s.live {
		s.live[i] = map[string]ratemodel.Model{}
	}
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := s.decide(r)
	h := w.Header()
	h["Date"] = nil // keeps net/http from adding that of the real clock
	if !s.config.NoDate {
		h["Date"] = []string{shown(v.now, v.offset).Format(http.TimeFormat)}
	}
	for _, a := range v.announced {
		a.dialect.announce(h, a.windows, v.now, v.offset)
	}
	if len(v.together) > 0 {
		s.config.Dialect.announce(h, v.together, v.now, v.offset)
		if s.config.Announce != nil {
			s.config.Announce(h, shownWindows(v.together, v.offset), shown(v.now, v.offset))
		}
	}
	if len(v.serving) > 0 {
		defer s.release(v.serving)
	}
	switch v.outcome {
	case Admitted:
		s.config.Handler.ServeHTTP(w, r)
	case Faulty:
		writeJSON(w, s.config.Faults.Status, map[string]string{"error": "unavailable"})
	case Refused:
		dialect := v.refusing.Dialect
		dialect.retryAfter(h, v.refusal)
		if s.config.Refuse != nil {
			s.config.Refuse(w, r, v.refusal)
			return
		}
		body := v.refusing.Body
		if body == nil {
			body = dialect.body
		}
		writeJSON(w, http.StatusTooManyRequests, body(v.refusal))
	}
}

// verdict is what was decided on a request, copied out of the lock.
type verdict struct {
	now       time.Time
	offset    time.Duration // of the clock that clients see
	outcome   Outcome
	announced []announcement
	together  []ratemodel.Window
	serving   []ratemodel.Releaser // count it until it is served
	refusing  *Rule                // set, as refusal, if outcome is Refused
	refusal   Refusal
}

type announcement struct {
	dialect Dialect
	windows []ratemodel.Window
}

// limiter is a rule applied to one request.
type limiter struct {
	index int
	rule  *Rule
	key   string
	model ratemodel.Model
}

func (s *Server) decide(r *http.Request) verdict {
	key := s.config.Key(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	v := verdict{now: s.config.Now(), offset: s.offset} // under the lock, so that time never goes back
	f := s.config.Faults
	faulty := f.Share > 0 && s.faults.Float64() < f.Share
	counted := !faulty || f.Counted
	if counted {
		limiters := s.limiters(r, key)
		if admit(limiters, v.now) {
			v.serving = serving(limiters)
		} else {
			v.outcome = Refused
			v.refusing, v.refusal = s.refusal(limiters, v.now)
		}
		v.announced = announcements(limiters, v.now)
		if s.config.Dialect.Fields != 0 || s.config.Announce != nil {
			for _, l := range limiters {
				v.together = l.model.Windows(v.together, v.now)
			}
		}
	}
	if faulty && v.outcome == Admitted {
		v.outcome = Faulty
	}
	s.count(key, v.outcome, counted)
	if s.config.Observe != nil {
		s.config.Observe(Decision{Time: v.now, Key: key, Request: r, Outcome: v.outcome, Refusal: v.refusal})
	}
	return v
}

// limiters returns the rules that match r, each with the model of its key. The
// caller holds s.mu.
func (s *Server) limiters(r *http.Request, key string) []limiter {
	ls := make([]limiter, 0, len(s.config.Rules))
	for i := range s.config.Rules {
		rule := &s.config.Rules[i]
		if rule.Match != nil && !rule.Match(r) {
			continue
		}
		k := key
		if rule.Key != nil {
			k = rule.Key(r)
		}
		m := s.live[i][k]
		if m == nil {
			m = rule.Model(k)
			s.live[i][k] = m
		}
		if rule.Cost != nil {
			m = ratemodel.Units{Model: m, N: rule.Cost(r)}
		}
		ls = append(ls, limiter{i, rule, k, m})
	}
	return ls
}

func admit(ls []limiter, now time.Time) bool {
	all := make(ratemodel.All, len(ls))
	for i, l := range ls {
		all[i] = l.model
	}
	return all.Admit(now)
}

// refusal returns the rule that stays closed the longest and what it says. The caller
// holds s.mu.
func (s *Server) refusal(ls []limiter, now time.Time) (*Rule, Refusal) {
	var last limiter
	var next time.Time
	for _, l := range ls {
		if t := l.model.Next(now); t.After(next) {
			last, next = l, t
		}
	}
	f := Refusal{Key: last.key, Rule: last.index, Wait: next.Sub(now), Until: shown(next, s.offset)}
	for _, w := range last.model.Windows(nil, now) {
		if w.Remaining == 0 && (f.Window.Limit == 0 || w.Reset.After(f.Window.Reset)) {
			f.Window = w
		}
	}
	if !f.Window.Reset.IsZero() {
		f.Reset = shown(f.Window.Reset, s.offset)
	}
	return last.rule, f
}

func announcements(ls []limiter, now time.Time) []announcement {
	var as []announcement
	for _, l := range ls {
		if l.rule.Dialect.Fields != 0 {
			as = append(as, announcement{l.rule.Dialect, l.model.Windows(make([]ratemodel.Window, 0, 3), now)})
		}
	}
	return as
}

// shown returns t by a clock that is so far ahead.
func shown(t time.Time, offset time.Duration) time.Time { return t.Add(offset).UTC() }

// SetClockOffset sets the clock that clients see, from the next request on, as
// Config.ClockOffset did.
func (s *Server) SetClockOffset(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset = d
}

// shownWindows returns windows with their resets by a clock that is so far ahead.
func shownWindows(windows []ratemodel.Window, offset time.Duration) []ratemodel.Window {
	all := slices.Clone(windows)
	for i := range all {
		if !all[i].Reset.IsZero() {
			all[i].Reset = shown(all[i].Reset, offset)
		}
	}
	return all
}

// KeyOf returns the key that r would be counted for.
func (s *Server) KeyOf(r *http.Request) string { return s.config.Key(r) }

// Fresh returns new models of the limits that hold for every request of a key
// and count for that key alone, as one model. Limits that match only some
// requests or count for several keys are not in it.
func (s *Server) Fresh(key string) ratemodel.Model {
	var all ratemodel.All
	for _, r := range s.config.Rules {
		if r.Match == nil && r.Key == nil {
			all = append(all, r.Model(key))
		}
	}
	return all
}

// Change runs f on every model that counts for key now, one at a time and never
// while a request is decided. A rule's own key is meant, where it has one.
func (s *Server) Change(key string, f func(ratemodel.Model)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, byKey := range s.live {
		if m := byKey[key]; m != nil {
			f(m)
		}
	}
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = jsonType
	_, _ = io.WriteString(w, `{"ok":true}`)
}

var jsonType = []string{"application/json"}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	// An error here means that the client has gone.
	_ = json.NewEncoder(w).Encode(v)
}
