package fleet

import (
	"context"
	"crypto/rand"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/fleet/internal/parts"
	"github.com/forbear-go/forbear/queue"
)

// A portion is what one transport has of one limit of a rule.
type portion struct {
	*parts.Limiter

	key string
}

// Divide implements [client.Fleet].
func (f *Fleet) Divide(name string, q queue.Quota, h client.Host) queue.Portion {
	p := &portion{key: f.name("rule\x00" + q.Span().String() + "\x00" + name)}
	p.Limiter = parts.New(q, parts.Config{
		ID: rand.Text(), Lease: f.lease, Grace: f.grace(), Timeout: f.timeout, Members: f.members,
		Exchange: func(q *parts.Report) (a parts.Reply, err error) {
			err = f.exchange(context.Background(), p.key, q, &a)
			return a, err
		},
		Go:    func(work func()) { f.calls.Go(work) },
		Enter: func() bool { return f.enter(p.key, p) },
		Leave: func() { f.leave(p.key, p) },
		Wake:  h.Wake, Away: h.Away,
	})
	return p
}

func (p *portion) hearNews(data []byte)        { p.Hear(data) }
func (p *portion) missed()                     { p.Missed() }
func (p *portion) close(context.Context) error { return p.Close() }

func (p *portion) status() KeyStatus {
	s := p.Status()
	return KeyStatus{Key: p.key, Shared: s.Shared, Away: s.Away, Members: s.Members, Held: s.Held, Calls: s.Calls, Failed: s.Failed}
}
