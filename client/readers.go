package client

import (
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/forbear-go/forbear/throttle/header"
)

// readers holds a header.Reader for each host, which knows its dialect and
// remembers the fields that it sends.
type readers struct {
	dialects []header.Dialect
	byHost   sync.Map // of *header.Reader
	hosts    atomic.Int64
}

// maxReaders is how many hosts are remembered. Beyond that all are forgotten, which
// costs each of them one slower response.
const maxReaders = 1024

// of returns the reader for the host of a URL.
func (r *readers) of(u *url.URL) *header.Reader {
	if known, ok := r.byHost.Load(u.Host); ok {
		return known.(*header.Reader)
	}
	made, err := header.NewReader(u.Host, r.dialects...)
	if err != nil {
		panic(err) // the dialects were tried before
	}
	if r.hosts.Add(1) > maxReaders {
		r.byHost.Clear()
		r.hosts.Store(1)
	}
	known, _ := r.byHost.LoadOrStore(u.Host, made)
	return known.(*header.Reader)
}
