package harm

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// count refuses what passes the limit of a key, and lets announce tell of it.
func (s *site) count(key func(*http.Request) string, model func() ratemodel.Model, announce func(http.Header, ratemodel.Window, time.Time)) http.Handler {
	var mu sync.Mutex
	models := map[string]ratemodel.Model{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		m := models[key(r)]
		if m == nil {
			m = model()
			models[key(r)] = m
		}
		now := time.Now()
		ok := m.Admit(now)
		announce(w.Header(), m.Windows(nil, now)[0], now)
		mu.Unlock()
		if ok {
			s.ok().ServeHTTP(w, r)
			return
		}
		s.refuse()
		refusal().write(w)
	})
}

// quiet refuses what passes a limit, and announces nothing.
func (s *site) quiet(model func() ratemodel.Model, next http.Handler, a answer) http.Handler {
	var mu sync.Mutex
	m := model()
	admit := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return m.Admit(time.Now())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if admit() {
			next.ServeHTTP(w, r)
			return
		}
		s.refuse()
		a.write(w)
	})
}

// penalty blocks a client that passes the limit for five seconds, and for twice as long each
// time, up to two minutes, until it behaves for five minutes.
func (s *site) penalty(limit int, length time.Duration) http.Handler {
	var mu sync.Mutex
	model := ratemodel.NewFixed(limit, length)
	var until, last time.Time
	pause := 5 * time.Second
	wait := func(now time.Time) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		if now.Before(until) {
			return until.Sub(now)
		}
		if model.Admit(now) {
			return 0
		}
		if now.Sub(last) > 5*time.Minute {
			pause = 5 * time.Second
		}
		last, until = now, now.Add(pause)
		pause = min(2*pause, 2*time.Minute)
		return until.Sub(now)
	}
	served := s.ok()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := wait(time.Now())
		if d == 0 {
			served.ServeHTTP(w, r)
			return
		}
		s.refuse()
		refusal("Retry-After", strconv.Itoa(int(math.Ceil(d.Seconds())))).write(w)
	})
}

// warming is a bucket whose rate grows evenly.
func (s *site) warming(from, to float64, within time.Duration, after string) http.Handler {
	var mu sync.Mutex
	level, last := 5.0, time.Now()
	admit := func(now time.Time) bool {
		mu.Lock()
		defer mu.Unlock()
		rate := from + (to-from)*min(time.Since(s.start).Seconds()/within.Seconds(), 1)
		level = min(level+rate*now.Sub(last).Seconds(), 5)
		last = now
		if level < 1 {
			return false
		}
		level--
		return true
	}
	return s.admits(admit, refusal("Retry-After", after))
}
