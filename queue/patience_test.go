package queue

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/limit"
)

// pacer paces requests to one in ten seconds, but holds none for longer than four.
type pacer struct {
	limit.NoHooks

	next time.Time
}

func (p *pacer) Ask(now time.Time, _ limit.Demand) limit.Decision {
	if !p.next.After(now) {
		return limit.Decision{}
	}
	return limit.Decision{At: p.next, Limit: "pacer", Paced: 4 * time.Second}
}

func (p *pacer) Take(now time.Time, _ limit.Demand) { p.next = now.Add(10 * time.Second) }

// A limiter of a program's own that paces requests holds none for longer than the request has patience,
// whether it is the limit of the key or that of a rule.
func TestPacingHoldsNoRequestBeyondItsPatience(t *testing.T) {
	short := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, 2*time.Second)
	}
	plain := func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }
	for _, c := range []struct {
		name string
		r    Request
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want time.Duration
	}{
		{"patient", Request{}, plain, 4 * time.Second},
		{"with a short MaxWait", Request{MaxWait: 3 * time.Second}, plain, 0},
		{"with a longer one", Request{MaxWait: 11 * time.Second}, plain, 4 * time.Second},
		{"with a deadline", Request{}, short, 0},
		{"that cannot wait", Request{NoWait: true}, plain, 0},
	} {
		for where, opt := range map[string]Option{
			"of the key": WithKeyLimit(func(string) limit.Limiter { return &pacer{} }),
			"of a rule":  WithRule(Rule{New: func() limit.Limiter { return &pacer{} }}),
		} {
			t.Run(c.name+", "+where, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l, err := New(opt)
					require.NoError(t, err)
					defer l.Close()
					first, err := l.Acquire(t.Context(), &Request{Key: "k"})
					require.NoError(t, err)
					first.Release()
					began := time.Now()
					ctx, cancel := c.ctx(t.Context())
					defer cancel()
					c.r.Key = "k"
					second, err := l.Acquire(ctx, &c.r)
					require.NoError(t, err)
					second.Release()
					assert.Equal(t, c.want, time.Since(began))
				})
			})
		}
	}
}
