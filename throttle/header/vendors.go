package header

import (
	"strings"
	"time"
)

// assignPacked reads a value that holds everything.
func (r *Reading) assignPacked(f *field, v string) {
	switch f.packed {
	case packedMeta:
		readMeta(r, f, v)
	case packedSentry:
		readSentry(r, f, v)
	case packedYandex:
		readYandex(r, f, v)
	case packedServices:
		readServices(r, f, v)
	}
}

// readMeta reads the JSON of Meta's X-App-Usage and X-Business-Use-Case-Usage:
// the use in percent by calls, CPU time and time, of which the highest counts,
// and how long to stay away.
func readMeta(r *Reading, f *field, v string) {
	s := jsonScan{text: v}
	var m metaUse
	for s.next() {
		if s.object != m.object {
			m.assign(r, f)
			m = metaUse{object: s.object, id: s.path[1]}
		}
		n, number := parseNumber(s.value)
		switch s.key {
		case "type":
			m.kind = s.value
		case "call_count", "total_cputime", "total_time", "acc_id_util_pct", "app_id_util_pct":
			if number && !n.minus {
				m.used, m.known = max(m.used, n.float()), true
			}
		case "estimated_time_to_regain_access":
			if d, ok := n.times(time.Minute); number && ok {
				m.away, m.step = d, time.Minute
			}
		case "reset_time_duration":
			if d, ok := n.times(time.Second); number && ok {
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

func (m *metaUse) assign(r *Reading, f *field) {
	if !m.known {
		return
	}
	own := field{family: f.family, key: f.key, label: f.label}
	if m.kind != "" {
		own.key = m.id + ":" + m.kind
		own.label = own.key
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
func readSentry(r *Reading, f *field, v string) {
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
			parts[i], rest = trim(rest[:end]), rest[min(end+1, len(rest)):]
		}
		n, ok := parseNumber(parts[0])
		if !ok || n.minus || n.whole > maxDelta {
			continue
		}
		own := field{family: f.family, key: parts[1] + ":" + parts[2], label: parts[1], unit: parts[1]}
		if parts[1] == "" {
			own.label, own.unit = "all", "events"
		}
		p := r.at(&own, 0)
		if p == nil {
			return
		}
		p.describe(&own)
		p.Scope = parts[2]
		p.setRemaining(Count{State: Known})
		if d, ok := n.times(time.Second); ok && d > p.Reset.In {
			p.Reset = Reset{In: d, Resolution: n.step(time.Second)}
		}
	}
}

// readYandex reads Yandex Direct's Units: cost/remaining/limit.
func readYandex(r *Reading, f *field, v string) {
	_, rest, ok := scanNumber(v)
	if !ok || rest == "" || rest[0] != '/' {
		return
	}
	left, rest, ok := scanNumber(rest[1:])
	if !ok || rest == "" || rest[0] != '/' {
		return
	}
	limit, ok := parseNumber(rest[1:])
	if p := r.at(f, 0); ok && p != nil {
		p.describe(f)
		p.setRemaining(countOf(left))
		p.setLimit(countOf(limit))
	}
}

// readServices reads EPO's idle (images=green:200, search=green:30): what is left of each
// service.
func readServices(r *Reading, f *field, v string) {
	_, list, ok := strings.Cut(v, "(")
	for ok && list != "" {
		var one string
		one, list = cutMember(list)
		name, state, pair := strings.Cut(one, "=")
		_, left, told := strings.Cut(state, ":")
		n, number := parseNumber(strings.TrimRight(left, ") "))
		if !pair || !told || !number {
			continue
		}
		own := field{role: roleRemaining, family: f.family, key: name, label: name, length: f.length}
		r.assignNumber(&own, 0, n)
	}
}
