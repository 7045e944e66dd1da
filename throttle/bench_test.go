package throttle

import (
	"testing"
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// One request that need not wait: asked, sent and answered.
func BenchmarkAdmission(b *testing.B) {
	for name, windows := range map[string]int{"silent": 0, "one window": 1, "three windows": 3} {
		b.Run(name, func(b *testing.B) {
			now := time.Now()
			k, err := New(DefaultPolicy(), now)
			if err != nil {
				b.Fatal(err)
			}
			known := func(n int) header.Count { return header.Count{Value: float64(n), State: header.Known} }
			var r header.Reading
			for i := range windows {
				r.Windows = append(r.Windows, header.Window{
					Name: string(rune('a' + i)), Limit: known(1e9), Remaining: known(1e9 - 1),
					Reset: header.Reset{In: time.Minute, Resolution: time.Second}, Length: time.Minute,
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Microsecond)
				if a := k.Ask(now, 1); a.Name != "" {
					b.Fatal(a)
				}
				t := k.Send(now, 1)
				k.Receive(now, t, &r)
			}
		})
	}
}
