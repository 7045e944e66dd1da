package clienttest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// tester is what the checks need of a *testing.T.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
}

// MustNotRefuse fails the test if the server refused a request. It says which, by what
// limit, what came before it, and whether the client came back before it should have.
func (s *Server) MustNotRefuse(t tester) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	refused, first := 0, -1
	for i, n := range s.notes {
		if n.Refused {
			if refused++; first < 0 {
				first = i
			}
		}
	}
	if refused == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the server refused %d of %d requests\n", refused, len(s.notes))
	n := s.notes[first]
	fmt.Fprintf(&b, "the first was %s\n\tby the limit %s\n\twhich would have admitted it %v later", s.describe(first), n.Limit, round(n.Until.Sub(n.Time)))
	if first > 0 {
		fmt.Fprintf(&b, "\nbefore it came %s", s.describe(first-1))
	}
	if early := s.early(); early > 0 {
		fmt.Fprintf(&b, "\n%d of them came back before the time that an earlier refusal named", early)
	}
	t.Errorf("%s", b.String())
}

// early returns how many requests were refused by a limit that had refused one of the
// same client, until later.
func (s *Server) early() int {
	type who struct{ limit, key string }
	until, early := map[who]time.Time{}, 0
	for _, n := range s.notes {
		if !n.Refused {
			continue
		}
		w := who{n.Limit, n.key}
		if n.Time.Before(until[w]) {
			early++
		}
		until[w] = n.Until
	}
	return early
}

// describe tells the i-th request, without its query and credential.
func (s *Server) describe(i int) string {
	n := s.notes[i]
	return fmt.Sprintf("number %d, %s %s, %v after number 1", i+1, n.Method, n.URL.Path, round(n.Time.Sub(s.notes[0].Time)))
}

// MustAdmit fails the test unless the server admitted exactly want requests.
func (s *Server) MustAdmit(t tester, want int) {
	t.Helper()
	if c := s.Counts(); c.Admitted != want {
		t.Errorf("the server admitted %d requests, want %d (received %d, refused %d, failed %d)",
			c.Admitted, want, c.Requests, c.Refused, c.Failed)
	}
}

// MustNotLag fails the test if the client was slower than it had to be: if the last
// request was admitted more than most later than the limits allow, counted from the
// first one, for any credential. Limits of some requests only, of units or of
// concurrency are left out. The test also fails if no request was admitted.
func (s *Server) MustNotLag(t tester, most time.Duration) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	admitted := map[string][]time.Time{}
	for _, n := range s.notes {
		if n.Admitted {
			admitted[n.key] = append(admitted[n.key], n.Time)
		}
	}
	if len(admitted) == 0 {
		t.Errorf("the server admitted no request")
	}
	for _, times := range admitted {
		first, last := slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare)
		if best := s.best(first, len(times)); last.Sub(best) > most {
			t.Errorf("the client was %v slower than it had to be, at most %v is allowed: it had %d requests admitted in %v, where the limits allow it in %v",
				round(last.Sub(best)), most, len(times), round(last.Sub(first)), round(best.Sub(first)))
		}
	}
}

// best returns when the n-th request of a client could have been admitted.
func (s *Server) best(first time.Time, n int) time.Time {
	var fresh ratemodel.All
	for _, l := range s.config.limits {
		if l.everywhere() {
			fresh = append(fresh, l.build(""))
		}
	}
	t := first
	for range n {
		t = fresh.Next(t)
		fresh.Admit(t)
	}
	return t
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
