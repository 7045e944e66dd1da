package header

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// item is one member of a structured list, read leniently: RFC 9651 would drop
// a whole field for one bad byte, and real servers send many.
type item struct {
	name  string // a string or a token; the last one, if there are several
	text  string
	value scan.Number // a bare number instead of a name
	count bool        // value is there

	quota, rest      Count // parameters q and r
	length           time.Duration
	reset            Reset
	unit, scope      string
	label            string // parameter name
	limits, measured bool   // whether there was a q or w, whether there was an r or t
}

// scan reads the first member of s and returns what follows its comma.
func (it *item) scan(s string) (rest string) {
	*it = item{}
	c := cursor{s: s}
	start := c.i
	first := c.word()
	if n, ok := scan.ParseNumber(first); ok {
		it.value, it.count = n, true
	} else {
		it.name = scan.Unquote(first)
	}
	it.text = first
	for c.next() == ';' {
		c.i++
		c.next()
		if c.i+1 < len(c.s) && c.s[c.i+1] == '=' {
			key := scan.Lower(c.s[c.i])
			c.i += 2
			if n, ok := c.digits(); ok {
				it.number(key, n)
			} else {
				it.short(key, c.word())
			}
			it.span(start, c.i, first, s)
			continue
		}
		key := c.word()
		if c.next() != '=' {
			// "fixed window";"api";q=500 (Hugging Face), Microsoft.Compute/Get3Min;159 (Azure).
			if n, ok := scan.ParseNumber(key); ok && !it.count {
				it.value, it.count = n, true
			} else if len(key) > 2 && key[0] == '"' {
				it.name = scan.Unquote(key)
			}
			continue
		}
		c.i++
		it.param(key, c.word())
		it.span(start, c.i, first, s)
	}
	if c.next() != 0 {
		c.skipMember()
	}
	return c.s[c.i:]
}

// span makes quota and window, 100;w=60, the text of an item as soon as the
// window is read.
func (it *item) span(start, end int, first, s string) {
	if it.count && it.length > 0 && len(it.text) == len(first) {
		it.text = s[start:end]
	}
}

// cursor walks over a structured field in one pass.
type cursor struct {
	s string
	i int
}

// next skips blanks and returns the byte at hand, 0 at the end.
func (c *cursor) next() byte {
	for ; c.i < len(c.s); c.i++ {
		if b := c.s[c.i]; b != ' ' && b != '\t' {
			return b
		}
	}
	return 0
}

// word reads a quoted string, with its quotes, or all up to a separator.
func (c *cursor) word() string {
	b := c.next()
	start := c.i
	if b == '"' {
		// Most names have no backslash in them.
		if end := strings.IndexByte(c.s[start+1:], '"'); end > 0 && c.s[start+end] != '\\' {
			c.i = start + end + 2
			return c.s[start:c.i]
		}
		for c.i++; c.i < len(c.s); c.i++ {
			switch c.s[c.i] {
			case '\\':
				c.i++
			case '"':
				c.i++
				return c.s[start:c.i]
			}
		}
		c.i = min(c.i, len(c.s))
		return c.s[start:c.i]
	}
	for ; c.i < len(c.s); c.i++ {
		// The bytes of :cHJlc3RvIA==: may have an equals sign in them.
		if k := c.s[c.i]; k == ';' || k == ',' || k == '=' && b != ':' {
			break
		}
	}
	word := c.s[start:c.i]
	for word != "" && (word[len(word)-1] == ' ' || word[len(word)-1] == '\t') {
		word = word[:len(word)-1]
	}
	return word
}

// digits reads a plain number up to a separator, or nothing.
func (c *cursor) digits() (int64, bool) {
	n, i := int64(0), c.i
	for ; i < len(c.s); i++ {
		d := c.s[i] - '0'
		if d > 9 {
			break
		}
		n = n*10 + int64(d)
	}
	if i == c.i || i-c.i > 15 || i < len(c.s) && c.s[i] != ';' && c.s[i] != ',' {
		return 0, false
	}
	c.i = i
	return n, true
}

// skipMember moves behind the next comma outside quotes.
func (c *cursor) skipMember() {
	quoted := false
	for c.i < len(c.s) {
		b := c.s[c.i]
		c.i++
		switch {
		case b == '\\' && quoted && c.i < len(c.s):
			c.i++
		case b == '"':
			quoted = !quoted
		case b == ',' && !quoted:
			c.next()
			return
		}
	}
}

// param takes a parameter of several letters.
func (it *item) param(key, value string) {
	switch {
	case scan.EqualFold(key, "qu"):
		it.unit = scan.Unquote(value)
	case scan.EqualFold(key, "pk"):
		it.scope = scan.Unquote(value)
		if n := len(it.scope); n > 1 && it.scope[0] == ':' && it.scope[n-1] == ':' {
			it.scope = it.scope[1 : n-1]
		}
	case scan.EqualFold(key, "name"):
		it.label = scan.Unquote(value)
	case scan.EqualFold(key, "window"):
		it.short('w', value)
	case scan.EqualFold(key, "quota"), scan.EqualFold(key, "limit"):
		it.short('q', value)
	case scan.EqualFold(key, "remaining"):
		it.short('r', value)
	case scan.EqualFold(key, "reset"):
		it.short('t', value)
	}
}

// number takes a parameter of one letter that is a plain number. The drafts
// since the eighth have no others but qu and pk.
func (it *item) number(key byte, n int64) {
	switch key {
	case 'q':
		it.quota, it.limits = Count{Value: float64(n), State: Known}, true
	case 'r':
		it.rest, it.measured = Count{Value: float64(n), State: Known}, true
	case 'w':
		it.length, it.limits = lengthOf(scan.Number{Whole: n}, 0), true
	case 't':
		it.reset, _ = resetOf(scan.Number{Whole: n}, time.Second)
		it.measured = true
	}
}

// short takes any parameter of one letter.
func (it *item) short(key byte, value string) {
	switch key {
	case 'u': // Helicone: 1000;w=60;u=cents
		it.unit = scan.Unquote(value)
	case 'q':
		it.quota, it.limits = parseCount(value), true
	case 'r':
		it.rest, it.measured = parseCount(value), true
	case 'w':
		it.limits = true
		if n, ok := scan.ParseNumber(scan.Unquote(value)); ok {
			it.length = lengthOf(n, 0)
		} else {
			it.length, _, _ = scan.ParseDuration(scan.Unquote(value))
		}
	case 't':
		it.measured = true
		it.reset, _ = parseReset(value, time.Second)
	}
}

// assignItem adds a named member of RateLimit or RateLimit-Policy to its window.
func (r *Reading) assignItem(f *names.Field, it *item) {
	label := it.name
	if f.Label != "" {
		label = joinName(f.Label, it.name)
	}
	// One policy may apply to several partition keys, each with its own rest.
	for i := range 8 {
		p := r.find(f.Family, it.name, label, i)
		if p == nil {
			return
		}
		if p.Scope != "" && it.scope != "" && p.Scope != it.scope {
			continue
		}
		if p.Scope == "" {
			p.Scope = it.scope
		}
		if it.unit != "" {
			p.Unit = it.unit
		}
		p.setLimit(it.quota)
		p.setRemaining(it.rest)
		p.setLength(it.length)
		p.named = true
		p.setReset(it.reset, false)
		return
	}
}
