package header

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// Reader reads the responses of one host. It knows the dialect of the host, and
// it remembers which fields the host sends, so that the next response of the
// same shape is read in a fraction of the time. Its zero value is ready and
// knows no dialects. It is safe for concurrent use; do not copy it after use.
//
// What it remembers is a shortcut for successes only. It reads a response in full if
// the number of fields differs from before, or if a field about limits is missing.
// With each response it also looks up one of the other fields, in turn. So it may
// overlook only a field about limits that replaces another field while the number of
// fields stays the same, and a Reading only in as many responses as there are fields,
// twice. It never overlooks a Retry-After. Reading.Read takes no such shortcut.
type Reader struct {
	fields  fields
	periods []Period
	bodies  bool

	refusals bool
	silent   bool
	costly   atomic.Bool // a request cost something other than one
	body     func(status int, body []byte) (wait time.Duration, known, refused bool)

	shapes [maxShape]atomic.Pointer[shape] // by the number of fields
	turn   atomic.Uint32                   // where a reading that is new begins to look up the other fields
}

// maxShape is the number of fields from which on a response is always read in
// full. Responses of browsers' favourite sites have some thirty.
const maxShape = 40

// shape is what names a response had, and what they mean. It is immutable.
type shape struct {
	fields []*names.Field // the fields about limits, and Age and its like
	date   *names.Field   // Date
	other  []string       // the names of the others, and Date
	limit  bool           // whether there is any about limits
	alike  bool           // whether those are all about one window
	plain  bool           // and were plain numbers
	hint   bool           // whether one is seen beside refusals
	rest   bool           // whether one in common use tells what is left
	frame  frame          // of that window
}

// NewReader returns a Reader for the responses of a host, such as
// "api.example.com" or the Host of a request's URL. It reads them in the
// dialects of the package's table and in more of the caller's own, as far as
// they are for that host; a later dialect wins over an earlier one and
// over the table. It fails on a dialect that makes no sense.
func NewReader(host string, more ...Dialect) (*Reader, error) {
	host = plainHost(host)
	rd := &Reader{fields: fields{}}
	for i, d := range slices.Concat(dialects, more) {
		ours := i < len(dialects)
		if !d.speaks(host) && (ours || len(d.Hosts) > 0) {
			// A caller's mistake should show up at once, not with the first request to
			// the host of the dialect.
			if !ours {
				if err := d.compile(fields{}); err != nil {
					return nil, err
				}
			}
			continue
		}
		if err := d.compile(rd.fields); err != nil {
			return nil, err
		}
		rd.bodies, rd.refusals = rd.bodies || d.Bodies, rd.refusals || d.Refusals
		rd.silent = rd.silent || d.silent
		if d.Body != nil {
			rd.body = d.Body
		}
		if d.Periods != nil {
			rd.periods = slices.Clone(d.Periods)
		}
	}
	return rd, nil
}

// Read reads a response into r. See Reading.Read.
func (rd *Reader) Read(r *Reading, status int, h http.Header, body []byte, now time.Time) {
	var s *shape
	if status >= 200 && status <= 299 && len(body) == 0 && !rd.silent {
		if s = rd.shape(r, h); s != nil && s.plain && r.readShape(s, h) {
			r.quiet = !s.hint && (!s.rest || r.Windows[0].Remaining.Value > 0)
			return
		}
		if s != nil && !s.limit {
			r.reset()
			r.quiet = !s.hint && !s.rest
			return
		}
	}
	r.begin(status, now)
	r.periods, r.costly, r.frank = rd.periods, rd.costly.Load(), rd.refusals
	if s == nil || !r.collectShape(s, h) {
		rd.scan(r, h)
	} else {
		r.quiet = !s.hint && !s.rest
	}
	r.finish(body)
	if r.costs && !r.costly {
		rd.costly.Store(true)
	}
	if rd.body != nil && len(body) > 0 {
		r.addRule(rd.body(status, body[:min(len(body), MaxBody)]))
	}
	r.Refused = r.Refused || rd.silent && status == http.StatusNoContent
}

// ReadResponse reads a response into r, with as much of its body as [Reader.Body] takes, and
// returns that and the response to use from then on. Of a response that has a Date, or was a
// success, now need not be exact.
func (rd *Reader) ReadResponse(r *Reading, resp *http.Response, patience time.Duration, now time.Time) ([]byte, *http.Response) {
	if resp.StatusCode == http.StatusOK && !rd.bodies && !rd.refusals {
		rd.Read(r, resp.StatusCode, resp.Header, nil, now)
		if r.quiet && !isGraphQL(resp.Request) {
			return nil, resp
		}
		body, out := rd.Body(resp, patience)
		if len(body) > 0 {
			rd.Read(r, resp.StatusCode, resp.Header, body, now)
		}
		return body, out
	}
	body, out := rd.Body(resp, patience)
	rd.Read(r, resp.StatusCode, resp.Header, body, now)
	return body, out
}

// addRule adds what a dialect's own rule read in a body. Of two waits the longer
// counts.
func (r *Reading) addRule(wait time.Duration, known, refused bool) {
	r.Refused = r.Refused || refused
	if known && wait >= 0 && (!r.Wait.Explicit || wait > r.Wait.Delay) {
		r.setWait(Reset{In: wait, Resolution: 1}, true)
	}
}

// NeedsBody is like the function NeedsBody, and reports true as well for the
// successes of an API that tells limits in their bodies.
func (rd *Reader) NeedsBody(status int, h http.Header) bool {
	if status == http.StatusOK && (rd.bodies || rd.refusals) || status == http.StatusInternalServerError && rd.refusals {
		return Readable(h) && (rd.bodies || short(h))
	}
	return NeedsBody(status, h)
}

// Body returns the beginning of a response's body, and the response to use from then
// on, as PeekBody does, if the body may tell more of a limit than the header: where
// NeedsBody says so, and for responses of GraphQL, which are successes even if they
// hold an error. Otherwise it leaves the body alone and returns nil and resp. It reads
// only the beginning of a success that may be a refusal, and does not wait long for it.
func (rd *Reader) Body(resp *http.Response, patience time.Duration) ([]byte, *http.Response) {
	switch {
	case resp.StatusCode != http.StatusOK || rd.bodies:
		if !rd.NeedsBody(resp.StatusCode, resp.Header) {
			return nil, resp
		}
		return PeekBody(resp, patience)
	case resp.ContentLength > maxBrief,
		!rd.NeedsBody(http.StatusOK, resp.Header) && !(isGraphQL(resp.Request) && shortJSON(resp.Header)):
		return nil, resp
	}
	return peekBody(resp, min(patience, briefPatience), maxBrief)
}

// stride is how far turns are apart, as a share of 1<<32. It is the golden ratio: turns that far
// apart come near every place soon, and so does every second of them, or third, if a Reading is
// used for several hosts.
const stride = 0x9e3779b9

// shape returns what is known of responses with so many fields, or nil when this one
// differs.
func (rd *Reader) shape(r *Reading, h http.Header) *shape {
	if len(h) >= maxShape {
		return nil
	}
	s := rd.shapes[len(h)].Load()
	if s == nil || !s.hint && len(h["Retry-After"]) > 0 {
		return nil
	}
	if len(s.other) == 0 {
		return s
	}
	// Readings count their turns by themselves, so that they need not wait for each other.
	if r.turn == 0 {
		r.turn = rd.turn.Add(stride)
	}
	r.turn += stride
	if _, ok := h[s.other[uint64(r.turn)*uint64(len(s.other))>>32]]; !ok {
		return nil
	}
	return s
}

// collectShape takes the fields that a response of this shape has. It reports false, and
// takes nothing, when one of them is missing.
func (r *Reading) collectShape(s *shape, h http.Header) bool {
	if !s.limit {
		return true
	}
	for _, f := range s.fields {
		values := h[f.Name]
		if len(values) == 0 {
			r.reset()
			return false
		}
		if f.Role < names.RoleDate {
			r.hits = append(r.hits, hit{f, values})
		} else {
			r.collect(f, values)
		}
	}
	if s.date != nil {
		if values := h[s.date.Name]; len(values) > 0 {
			r.date = values[0]
		}
	}
	r.sorted, r.alike = true, s.alike
	return true
}

// scan reads all fields, and remembers them if the response is a success.
func (rd *Reader) scan(r *Reading, h http.Header) {
	if len(h) > maxNames {
		r.scanCommon(h)
		return
	}
	learn := len(h) < maxShape && r.status >= 200 && r.status <= 299
	var s shape
	for name, values := range h {
		f := rd.fieldOf(name)
		if f.Role != names.RoleNone && len(values) > 0 {
			r.collect(f, values)
		}
		s.hint = s.hint || name == "Retry-After" || name == "Mediawiki-Api-Error"
		s.rest = s.rest || slices.Contains(remainders[:], name)
		switch {
		case !learn:
		case len(name) > names.MaxName || len(values) == 0:
			learn = false
		case f.Role == names.RoleNone:
			s.other = append(s.other, strings.Clone(name))
		case f.Role == names.RoleDate:
			s.date, s.other = f, append(s.other, f.Name)
		default:
			s.fields = append(s.fields, f)
			s.limit = s.limit || f.Role < names.RoleDate
		}
	}
	if learn {
		// In this order, so that no response has to be sorted again.
		slices.SortFunc(s.fields, func(a, b *names.Field) int { return strings.Compare(a.Name, b.Name) })
		s.alike = alike(r.hits)
		s.plain = s.alike && r.periods == nil && plain(r.hits)
		for _, f := range s.fields {
			s.frame.add(f)
		}
		rd.shapes[len(h)].Store(&s)
	}
}

// fieldOf is names.Of, with the dialects of the reader before it.
func (rd *Reader) fieldOf(name string) *names.Field {
	if len(rd.fields) > 0 && len(name) <= names.MaxName {
		var buf [names.MaxName]byte
		for i := range len(name) {
			buf[i] = scan.Lower(name[i])
		}
		if f := rd.fields[string(buf[:len(name)])]; f != nil {
			if f.Name != name {
				// collectShape looks a field up by the name that the host uses.
				spelt := *f
				spelt.Name = strings.Clone(name)
				return &spelt
			}
			return f
		}
	}
	return names.Of(name)
}
