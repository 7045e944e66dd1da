package level

import (
	"math"
	"slices"
)

// A sample holds the last values of something, in the order in which they came
// and sorted.
type sample struct {
	values [128]float64
	sorted [128]float64
	n      int // how many there are
	next   int // the place of the next one
	sum    float64
	square float64
}

func (s *sample) add(x float64) {
	if s.n == len(s.values) {
		old := s.values[s.next]
		i, _ := slices.BinarySearch(s.sorted[:s.n], old)
		copy(s.sorted[i:], s.sorted[i+1:s.n])
		s.n--
	}
	i, _ := slices.BinarySearch(s.sorted[:s.n], x)
	copy(s.sorted[i+1:s.n+1], s.sorted[i:s.n])
	s.sorted[i] = x
	s.values[s.next] = x
	s.next = (s.next + 1) % len(s.values)
	s.n++
	s.sum, s.square = 0, 0
	for _, v := range s.sorted[:s.n] {
		s.sum += v
		s.square += v * v
	}
}

// quantile returns the value below which a share of the values lies; 0 if there
// are none.
func (s *sample) quantile(share float64) float64 {
	if s.n == 0 {
		return 0
	}
	return s.sorted[min(int(share*float64(s.n)), s.n-1)]
}

// high returns a quantile, but not much more than nine tenths of the values are: a few that are many times as
// large say little of others.
func (s *sample) high(share float64) float64 { return min(s.quantile(share), 4*s.quantile(0.9)) }

// mean returns the mean and the standard deviation.
func (s *sample) mean() (mean, deviation float64) {
	n := float64(max(s.n, 1))
	mean = s.sum / n
	return mean, math.Sqrt(max(0, s.square/n-mean*mean))
}

// within returns the share of the values above x that are no more than d above it, or rather more than that
// if there are few.
func (s *sample) within(x, d float64) float64 {
	i, _ := slices.BinarySearch(s.sorted[:s.n], x)
	j, _ := slices.BinarySearch(s.sorted[i:s.n], x+d)
	return float64(j+1) / float64(s.n-i+1)
}
