package client

import "github.com/forbear-go/forbear/queue"

// Declared returns the limits of rules, as they stand for each key and host that sent
// requests, in no particular order. Keys are hashed, as those of [Transport.Snapshot] are.
func (t *Transport) Declared() (all []queue.Declared) {
	t.line.EachDeclared(func(d queue.Declared) {
		if d.Key != "" {
			d.Key = nameOf(d.Key)
		}
		all = append(all, d)
	})
	return all
}
