// Package cost says what a request costs where an API limits something else
// than requests: tokens, points, credits, request units.
//
// Before a request is sent, [API.Estimate] reads from its body what the server
// may charge for it. While the response streams past, a [Meter] finds what the
// server says it was. The table of APIs is data: [For] finds the entry for a
// request, and a program adds its own by filling in an [API].
//
// The package imports nothing of forbear and sends nothing.
package cost

import (
	"maps"
	"net/http"
	"path"
	"strings"
	"time"
)

// Units is an amount of each of some units, by the names that header fields
// use: "tokens", "input-tokens", "points", "credits".
type Units map[string]float64

// Tokens returns an amount of n tokens.
func Tokens(n int) Units { return Units{"tokens": float64(n)} }

// Of returns the amount that a window counts: that of its name, or else that
// of its unit. Where neither is known and the unit is tokens, the amount is the
// sum of input and output tokens. It reports whether there is one.
func (u Units) Of(name, unit string) (float64, bool) {
	if n, ok := u[name]; ok {
		return n, true
	}
	if n, ok := u[unit]; ok {
		return n, true
	}
	if unit != "tokens" || name == "input-tokens" || name == "output-tokens" {
		return 0, false
	}
	in, okIn := u["input-tokens"]
	out, okOut := u["output-tokens"]
	return in + out, okIn || okOut
}

// Add returns the sum of both amounts. It changes neither.
func (u Units) Add(v Units) Units {
	if len(u) == 0 {
		return v
	}
	sum := maps.Clone(u)
	for unit, n := range v {
		sum[unit] += n
	}
	return sum
}

// An Estimate is what a request says of its cost before it is sent. The zero
// value says nothing.
type Estimate struct {
	// Model names what has limits of its own within a key: the model, or the
	// deployment.
	Model string
	// Bytes is the size of what is charged by its length, the prompt. How many
	// tokens a byte makes is learned from responses.
	Bytes int64
	// Most is what the server may charge beside the prompt: the most tokens that
	// it was allowed to produce. A unit that is missing is not known.
	Most Units
}

// An API says where its requests and responses tell what they cost.
type API struct {
	// Name is a short name, such as "openai".
	Name string
	// Hosts are the names of its servers. A * stands for any run of characters.
	Hosts []string
	// Path restricts the entry to requests whose path contains it.
	Path string
	// Source is the page that documents the costs.
	Source string

	// Model is where a request names its model: a member of its JSON body, or,
	// if it begins with a slash, the path that stands before the name in the URL.
	Model string
	// Most are the members of the request body that bound what is produced.
	// Where several bound the same unit, the largest counts.
	Most []Term
	// Times are the members of the request body by which Most is multiplied.
	Times []string

	// Header are response header fields that tell the cost.
	Header []Term
	// Body are members of the response body that tell the cost, in JSON or in any
	// stream of it. The first name of a path may stand at any depth; the last one
	// in the body counts.
	Body []Term

	// Day is the time zone at whose midnight quotas of a day come back, such as
	// "America/Los_Angeles".
	Day string
}

// NextDay returns when a quota of a day comes back that was used up by now, and
// whether that is known.
func (a *API) NextDay(now time.Time) (time.Time, bool) {
	if a.Day == "" {
		return time.Time{}, false
	}
	zone, err := time.LoadLocation(a.Day)
	if err != nil {
		return time.Time{}, false
	}
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone), true
}

// A Term is a number in a request or a response, and the unit it counts in.
type Term struct {
	Field string  // the name of a header field, or the path of a member: "usage.total_tokens"
	Unit  string  // what it is an amount of
	Times float64 // how much one of it costs; 0 is 1
	Model string  // only for models whose name contains it
}

// amount returns what a number costs by the term, and whether it can be true.
func (t Term) amount(n float64) (float64, bool) {
	if t.Times != 0 {
		n *= t.Times
	}
	return n, n >= 0 && n <= absurd
}

// absurd is more than any API allows at once.
const absurd = 1e12

// For returns the API of the table that serves a request, or nil.
func For(req *http.Request) *API {
	if req == nil || req.URL == nil {
		return nil
	}
	for i := range table {
		if table[i].Serves(req) {
			return &table[i]
		}
	}
	return nil
}

// ForHost returns the APIs that serve some requests to a host: of more, and then of the table. It
// is nil for most hosts.
func ForHost(host string, more ...*API) (apis []*API) {
	host = strings.ToLower(host)
	for _, a := range more {
		if a.hasHost(host) {
			apis = append(apis, a)
		}
	}
	for i := range table {
		if table[i].hasHost(host) {
			apis = append(apis, &table[i])
		}
	}
	return apis
}

// Named returns the entry of the table with that name, or nil. Entries serve
// proxies and self-hosted servers well: copy one, and set Hosts.
func Named(name string) *API {
	for i := range table {
		if table[i].Name == name {
			return &table[i]
		}
	}
	return nil
}

// Serves reports whether a request goes to the API.
func (a *API) Serves(req *http.Request) bool {
	if a.Path != "" && !strings.Contains(req.URL.Path, a.Path) {
		return false
	}
	return a.hasHost(strings.ToLower(req.URL.Hostname()))
}

func (a *API) hasHost(host string) bool {
	for _, pattern := range a.Hosts {
		if pattern == host {
			return true
		}
		if strings.Contains(pattern, "*") {
			if ok, err := path.Match(pattern, host); ok && err == nil {
				return true
			}
		}
	}
	return false
}
