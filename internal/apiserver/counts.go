package apiserver

// Counts says how many requests had which outcome. Requests is the sum of
// Admitted, Refused and those of Faults that the limits did not count.
type Counts struct {
	Requests int // that arrived
	Admitted int // counted by the limits, also those then answered with a fault
	Refused  int // answered 429
	Faults   int // answered with the status of a fault
}

// Sub returns what came since earlier.
func (c Counts) Sub(earlier Counts) Counts {
	return Counts{
		Requests: c.Requests - earlier.Requests,
		Admitted: c.Admitted - earlier.Admitted,
		Refused:  c.Refused - earlier.Refused,
		Faults:   c.Faults - earlier.Faults,
	}
}

func (c *Counts) add(o Outcome, counted bool) {
	c.Requests++
	switch o {
	case Admitted:
		c.Admitted++
	case Refused:
		c.Refused++
	case Faulty:
		c.Faults++
		if counted {
			c.Admitted++
		}
	}
}

// Counts returns the counts of all keys.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// KeyCounts returns the counts of one key, zero if it never came.
func (s *Server) KeyCounts(key string) Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.byKey[key]; c != nil {
		return *c
	}
	return Counts{}
}

// count books one request. The caller holds s.mu.
func (s *Server) count(key string, o Outcome, counted bool) {
	c := s.byKey[key]
	if c == nil {
		c = new(Counts)
		s.byKey[key] = c
	}
	c.add(o, counted)
	s.total.add(o, counted)
}
