package queue

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/throttle/limit"
)

func BenchmarkPass(b *testing.B) {
	b.Run("plain", func(b *testing.B) { benchPass(b, newLine(b, own(yes{}))) })
}

func benchPass(b *testing.B, l *Queue) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	r := &Request{Key: "k", Host: "api.example.com", Method: "GET", Path: "/v1/things/17"}
	b.ReportAllocs()
	for b.Loop() {
		p, err := l.Acquire(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		p.Settle(func(now time.Time, own limit.Limiter) {})
	}
}

func BenchmarkPassParallel(b *testing.B) {
	l := newLine(b, own(yes{}))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r := &Request{Key: "k"}
		for pb.Next() {
			p, _ := l.Acquire(context.Background(), r)
			p.Release()
		}
	})
}

func TestAnUncontendedPassDoesNotAllocate(t *testing.T) {
	if chance.Raced {
		t.Skip("the race detector allocates")
	}
	l := newLine(t, own(yes{}))
	r := &Request{Key: "k"}
	var seen time.Time
	n := testing.AllocsPerRun(1000, func() {
		p, err := l.Acquire(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		p.Update(func(now time.Time, own limit.Limiter) { seen = now })
		p.Release()
	})
	assert.Zero(t, n)
	assert.False(t, seen.IsZero())
}
