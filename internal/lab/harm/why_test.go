package harm

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

var why = flag.Bool("why", false, "log what forbear does and believes in random worlds, slice by slice")

// ours returns forbear, watched if that was asked for.
func ours(t *testing.T, w World) peer.Client {
	c, _ := peer.Named(peer.Forbear)
	if !*why {
		return c
	}
	c.New = func(s peer.Setting) (http.RoundTripper, error) {
		d := &diary{t: t, slice: max(w.Span/40, time.Second)}
		return client.NewTransport(s.Base, client.WithObserver(d.note))
	}
	return c
}

// A diary sums up the events of each slice of time.
type diary struct {
	t     *testing.T
	slice time.Duration

	mu          sync.Mutex
	start, from time.Time
	counts      map[string]int
	limits      map[string]string // by path
}

func (d *diary) note(e client.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if d.start.IsZero() {
		d.start, d.from = now, now
		d.counts, d.limits = map[string]int{}, map[string]string{}
	}
	if now.Sub(d.from) >= d.slice {
		d.write()
		d.from = now
		clear(d.counts)
		clear(d.limits)
	}
	name := string(e.Kind)
	switch e.Kind {
	case client.EventAnswer, client.EventRefuse:
		name = fmt.Sprint(e.Status, " ", name)
	case client.EventWait:
		name += fmt.Sprintf(" for %q", e.Limit)
	case client.EventGiveUp:
		name += fmt.Sprintf(": %.60s", e.Err)
	}
	d.counts[name]++
	if len(e.Limits) > 0 {
		var all []string
		for _, w := range e.Limits {
			all = append(all, fmt.Sprintf("%s %d of %d in %v (rate %.3g, %s, sure %v) opens %+.0fs",
				w.Name, w.Credit, w.Limit, w.Length, w.Rate, w.Kind, w.Sure, w.Latest.Sub(now).Seconds()))
		}
		d.limits[e.Request.Method+" "+e.Request.URL.Path] = strings.Join(all, ", ")
	}
}

func (d *diary) write() {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(d.counts)) {
		words = append(words, fmt.Sprintf("%d %s", d.counts[name], name))
	}
	all := map[string][]string{}
	for path, limits := range d.limits {
		all[limits] = append(all[limits], path)
	}
	d.t.Logf("at %v: %s", d.from.Sub(d.start).Round(time.Second), strings.Join(words, ", "))
	for _, limits := range slices.Sorted(maps.Keys(all)) {
		d.t.Logf("\t%s: %s", strings.Join(slices.Sorted(slices.Values(all[limits])), ", "), limits)
	}
}
