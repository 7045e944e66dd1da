package header

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// assignPacked reads a value that holds everything.
func (r *Reading) assignPacked(f *names.Field, v string) {
	switch f.Packed {
	case names.PackedMeta:
		readMeta(r, f, v)
	case names.PackedSentry:
		readSentry(r, f, v)
	case names.PackedYandex:
		readYandex(r, f, v)
	case names.PackedServices:
		readServices(r, f, v)
	}
}

// readMeta reads the JSON of Meta's X-App-Usage and X-Business-Use-Case-Usage:
// the use in percent by calls, CPU time and time, of which the highest counts,
// and how long to stay away.
func readMeta(r *Reading, f *names.Field, v string) {
	s := scan.JSON{Text: v}
	var m metaUse
	for s.Next() {
		if s.Object != m.object {
			m.assign(r, f)
			m = metaUse{object: s.Object, id: s.Path[1]}
		}
		n, number := scan.ParseNumber(s.Value)
		switch s.Key {
		case "type":
			m.kind = s.Value
		case "call_count", "total_cputime", "total_time", "acc_id_util_pct", "app_id_util_pct":
			if number && !n.Minus {
				m.used, m.known = max(m.used, n.Float()), true
			}
		case "estimated_time_to_regain_access":
			if d, ok := n.Times(time.Minute); number && ok {
				m.away, m.step = d, time.Minute
			}
		case "reset_time_duration":
			if d, ok := n.Times(time.Second); number && ok {
				m.away, m.step = d, time.Second
			}
		}
	}
	m.assign(r, f)
}

// metaUse is one object of Meta's JSON.
type metaUse struct {
	object int
	id     string // the business, ad account or page
	kind   string
	used   float64
	known  bool
	away   time.Duration
	step   time.Duration // of away
}

func (m *metaUse) assign(r *Reading, f *names.Field) {
	if !m.known {
		return
	}
	own := names.Field{Family: f.Family, Key: f.Key, Label: f.Label}
	if m.kind != "" {
		own.Key = m.id + ":" + m.kind
		own.Label = own.Key
	}
	p := r.at(&own, 0)
	if p == nil {
		return
	}
	p.Unit, p.Scope = "percent", m.id
	p.setLimit(Count{Value: 100, State: Known})
	p.setUsed(Count{Value: m.used, State: Known})
	if m.away > 0 {
		p.setReset(Reset{In: m.away, Resolution: m.step}, false)
	}
}

// readSentry reads Sentry's list of seconds:categories:scope. The categories,
// all of them if none is named, are closed for so long.
// See https://develop.sentry.dev/sdk/expected-features/rate-limiting/.
func readSentry(r *Reading, f *names.Field, v string) {
	for v != "" {
		var one string
		one, v = cutMember(v)
		var parts [3]string
		rest := one
		for i := range parts {
			end := 0
			for end < len(rest) && rest[end] != ':' {
				end++
			}
			parts[i], rest = scan.Trim(rest[:end]), rest[min(end+1, len(rest)):]
		}
		n, ok := scan.ParseNumber(parts[0])
		if !ok || n.Minus || n.Whole > maxDelta {
			continue
		}
		own := names.Field{Family: f.Family, Key: parts[1] + ":" + parts[2], Label: parts[1], Unit: parts[1]}
		if parts[1] == "" {
			own.Label, own.Unit = "all", "events"
		}
		p := r.at(&own, 0)
		if p == nil {
			return
		}
		p.describe(&own)
		p.Scope = parts[2]
		p.setRemaining(Count{State: Known})
		if d, ok := n.Times(time.Second); ok && d > p.Reset.In {
			p.Reset = Reset{In: d, Resolution: n.Step(time.Second)}
		}
	}
}

// readYandex reads Yandex Direct's Units: cost/remaining/limit.
func readYandex(r *Reading, f *names.Field, v string) {
	_, rest, ok := scan.CutNumber(v)
	if !ok || rest == "" || rest[0] != '/' {
		return
	}
	left, rest, ok := scan.CutNumber(rest[1:])
	if !ok || rest == "" || rest[0] != '/' {
		return
	}
	limit, ok := scan.ParseNumber(rest[1:])
	if p := r.at(f, 0); ok && p != nil {
		p.describe(f)
		p.setRemaining(countOf(left))
		p.setLimit(countOf(limit))
	}
}

// readServices reads EPO's idle (images=green:200, search=green:30): what is left of each
// service.
func readServices(r *Reading, f *names.Field, v string) {
	_, list, ok := strings.Cut(v, "(")
	for ok && list != "" {
		var one string
		one, list = cutMember(list)
		name, state, pair := strings.Cut(one, "=")
		_, left, told := strings.Cut(state, ":")
		n, number := scan.ParseNumber(strings.TrimRight(left, ") "))
		if !pair || !told || !number {
			continue
		}
		own := names.Field{Role: names.RoleRemaining, Family: f.Family, Key: name, Label: name, Length: f.Length}
		r.assignNumber(&own, 0, n)
	}
}
