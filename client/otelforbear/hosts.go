package otelforbear

import (
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// The bounds of the cardinality of attributes.
const (
	mostHosts  = 1000
	mostLimits = 32 // names of limits, of a host
	mostKeys   = 100
)

// other is the value of an attribute in place of all that are too many or too rare to be
// told apart.
const other = "_OTHER"

// An outcome is how a request left the queue.
type outcome int

const (
	admitted outcome = iota
	rejected
	canceled
	outcomes
)

var outcomeNames = [outcomes]string{"admitted", "rejected", "canceled"}

// names are values of an attribute, up to a number of them.
type names struct {
	mu   sync.Mutex
	seen map[string]bool
}

// bound returns the name, or other if there are too many already.
func (n *names) bound(name string, most int) string {
	if name == "" {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.seen[name]:
		return name
	case len(n.seen) >= most:
		return other
	case n.seen == nil:
		n.seen = make(map[string]bool)
	}
	n.seen[name] = true
	return name
}

// A host is what is counted of one.
type host struct {
	address        attribute.KeyValue
	port           attribute.KeyValue
	queued, active atomic.Int64

	limits names
	mu     sync.RWMutex
	queue  map[string]*[outcomes][]metric.RecordOption // by limit
}

// hosts are those that requests went to.
type hosts struct {
	mu  sync.RWMutex
	all map[string]*host
}

// of returns the host of a request.
func (hs *hosts) of(req *http.Request) *host { return hs.named(req.URL.Host, req.URL) }

func (hs *hosts) named(name string, u *url.URL) *host {
	hs.mu.RLock()
	h := hs.all[name]
	hs.mu.RUnlock()
	if h != nil {
		return h
	}
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if h := hs.all[name]; h != nil {
		return h
	}
	if len(hs.all) >= mostHosts {
		name, u = other, &url.URL{Host: other}
		if h := hs.all[name]; h != nil {
			return h
		}
	}
	if hs.all == nil {
		hs.all = make(map[string]*host)
	}
	h = newHost(u)
	hs.all[name] = h
	return h
}

func newHost(u *url.URL) *host {
	h := &host{address: attribute.String("server.address", u.Hostname()), queue: make(map[string]*[outcomes][]metric.RecordOption)}
	port, err := strconv.Atoi(u.Port())
	switch {
	case err == nil:
	case u.Scheme == "https":
		port = 443
	case u.Scheme == "http":
		port = 80
	}
	if port > 0 {
		h.port = attribute.Int("server.port", port)
	}
	return h
}

// each calls f with each host.
func (hs *hosts) each(f func(*host)) {
	hs.mu.RLock()
	defer hs.mu.RUnlock()
	for _, h := range hs.all {
		f(h)
	}
}

// and returns the attributes of a host and one of its limits, if there is one.
func (h *host) and(limit string) []attribute.KeyValue {
	set := make([]attribute.KeyValue, 0, 4)
	set = append(set, h.address)
	if limit = h.limits.bound(limit, mostLimits); limit != "" {
		set = append(set, attribute.String("forbear.limit.name", limit))
	}
	return set
}

func (h *host) queueAttributes(limit string, how outcome) []attribute.KeyValue {
	set := append(h.and(limit), attribute.String("forbear.queue.outcome", outcomeNames[how]))
	if h.port.Valid() {
		set = append(set, h.port)
	}
	return set
}

// queueOptions returns the attributes as options, which are made once.
func (h *host) queueOptions(limit string, how outcome) []metric.RecordOption {
	h.mu.RLock()
	made := h.queue[limit]
	h.mu.RUnlock()
	if made != nil {
		return made[how]
	}
	made = new([outcomes][]metric.RecordOption)
	for i := range outcomes {
		made[i] = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(h.queueAttributes(limit, i)...))}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.queue) <= mostLimits { // and the empty name; those beyond are made each time
		h.queue[limit] = made
	}
	return made[how]
}
