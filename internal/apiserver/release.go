package apiserver

import "github.com/forbear-go/forbear/internal/ratemodel"

// serving returns the limits that count requests only while they are served.
func serving(ls []limiter) []ratemodel.Releaser {
	var rs []ratemodel.Releaser
	for _, l := range ls {
		if r, ok := l.model.(ratemodel.Releaser); ok {
			rs = append(rs, r)
		}
	}
	return rs
}

func (s *Server) release(rs []ratemodel.Releaser) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rs {
		r.Release()
	}
}
