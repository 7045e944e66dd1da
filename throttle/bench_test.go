package throttle

import (
	"testing"
	"time"
)

// One request that need not wait: asked and sent, or answered too.
func BenchmarkAdmission(b *testing.B) {
	for name, windows := range map[string]int{"silent": 0, "one window": 1, "three windows": 3} {
		b.Run(name+"/ask, send", func(b *testing.B) {
			now := time.Now()
			k, r := announced(b, windows, now)
			k.Observe(now, k.Take(now, 1), r)
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Microsecond)
				if a := k.Ask(now, 1); a.Limit != "" && a.Limit != FirstAnswer {
					b.Fatal(a)
				}
				k.Take(now, 1)
			}
		})
		b.Run(name+"/ask, send, receive", func(b *testing.B) {
			now := time.Now()
			k, r := announced(b, windows, now)
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Microsecond)
				if a := k.Ask(now, 1); a.Limit != "" {
					b.Fatal(a)
				}
				k.Observe(now, k.Take(now, 1), r)
			}
		})
	}
}

func BenchmarkStatus(b *testing.B) {
	now := time.Now()
	k, r := announced(b, 1, now)
	k.Observe(now, k.Take(now, 1), r)
	b.ReportAllocs()
	for b.Loop() {
		k.Status(now)
	}
}
