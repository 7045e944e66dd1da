package page

import (
	"slices"
	"strings"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

// declared holds the limits of rules, by the key or host whose requests they count.
type declared struct {
	ofKey, ofHost map[string][]queue.Declared
	ofAll         []queue.Declared
}

// sortDeclared sorts limits by the key or host whose requests they count.
func sortDeclared(all []queue.Declared) *declared {
	d := &declared{ofKey: make(map[string][]queue.Declared), ofHost: make(map[string][]queue.Declared)}
	// A fixed order keeps the page from moving.
	slices.SortFunc(all, func(a, b queue.Declared) int { return strings.Compare(a.Name, b.Name) })
	for _, l := range all {
		switch {
		case l.Key != "":
			d.ofKey[l.Key] = append(d.ofKey[l.Key], l)
		case l.Host != "":
			d.ofHost[l.Host] = append(d.ofHost[l.Host], l)
		default:
			d.ofAll = append(d.ofAll, l)
		}
	}
	return d
}

// limits returns the limits of rules that count the requests of a key.
func (d *declared) limits(now time.Time, s *client.Status) []Limit {
	var all []Limit
	add := func(scope string, limits []queue.Declared) {
		for i := range limits {
			all = append(all, declaredLimit(now, &limits[i], scope))
		}
	}
	add("", d.ofKey[s.Key])
	add("the host", d.ofHost[s.Host])
	add("all", d.ofAll)
	return all
}

// declaredKind is the kind of the limits of rules.
const declaredKind = "rule"

func declaredLimit(now time.Time, d *queue.Declared, scope string) Limit {
	l := Limit{
		Name: clean(d.Name), Unit: clean(d.Unit), Scope: scope, Kind: declaredKind,
		Max: d.Limit, Left: min(max(d.Remaining, 0), d.Limit),
	}
	if d.Full.After(now) {
		l.Opens = d.Full
	}
	return l
}
