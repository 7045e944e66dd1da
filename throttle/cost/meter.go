package cost

import (
	"bytes"
	"net/http"
	"strings"
)

// maxValue is how much of a value is kept while it passes. What a server says
// of its usage takes a few hundred bytes.
const maxValue = 2 << 10

// A Meter is an [io.Writer] that finds what a response says it cost in the bytes
// that are written to it. It keeps at most two kibibytes, whatever passes, and
// does not mind where the body is cut into pieces. It is not safe for concurrent
// use.
type Meter struct {
	terms  []Term
	marks  [][]byte // the first names of the terms, in quotes
	next   []int    // where each stands next in what is being looked through
	nums   []float64
	states []state // of each term

	tail  []byte // the last bytes, in which a name may have begun
	keep  int    // how many
	mark  int    // whose value is being read, or -1
	value []byte // of it
	phase phase
	depth int
	inStr bool
	esc   bool
	whole bool // the value did not become too long
	scan  scanner
}

type state uint8

const (
	untold state = iota
	told
	wrong
)

type phase uint8

const (
	searching phase = iota
	colon           // after a name
	begin           // of its value
	inside
)

// Meter returns a Meter for the body of a response to a request for a model. It
// knows already what the header says. It is nil where there is nothing to look
// at: responses without a body, or with one that is compressed.
func (a *API) Meter(resp *http.Response, model string) *Meter {
	if resp == nil || len(a.Header)+len(a.Body) == 0 || resp.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	m := &Meter{mark: -1}
	m.add(a.Header, model)
	for i, t := range m.terms {
		if v := resp.Header.Get(t.Field); v != "" {
			m.note(i, []byte(v))
		}
	}
	head := resp.Request != nil && resp.Request.Method == http.MethodHead
	if len(a.Body) > 0 && !head && resp.Header.Get("Content-Encoding") == "" {
		before := len(m.terms)
		m.add(a.Body, model)
		for _, t := range m.terms[before:] {
			m.look(t)
		}
	}
	if len(m.terms) == 0 {
		return nil
	}
	return m
}

// add takes up the terms that hold for a model: the first one for a field and a
// unit.
func (m *Meter) add(terms []Term, model string) {
	for _, t := range terms {
		if t.Model != "" && !strings.Contains(model, t.Model) || m.has(t) {
			continue
		}
		m.terms = append(m.terms, t)
		m.nums = append(m.nums, 0)
		m.states = append(m.states, untold)
	}
}

func (m *Meter) has(t Term) bool {
	for _, o := range m.terms {
		if o.Field == t.Field && o.Unit == t.Unit {
			return true
		}
	}
	return false
}

// look has the meter search for the first name of a term.
func (m *Meter) look(t Term) {
	name, _, _ := strings.Cut(t.Field, ".")
	mark := []byte(`"` + name + `"`)
	for _, o := range m.marks {
		if bytes.Equal(o, mark) {
			return
		}
	}
	m.marks = append(m.marks, mark)
	m.next = append(m.next, 0)
	m.keep = max(m.keep, len(mark)-1)
}

// Write looks through the next bytes of the body. It never fails.
func (m *Meter) Write(p []byte) (int, error) {
	if len(m.marks) == 0 {
		return len(p), nil
	}
	at, from := 0, 0 // from is where what was not taken yet begins
	if m.phase == searching {
		at = m.joint(p)
		from = at
	}
	clear(m.next)
	for at < len(p) {
		if m.phase != searching {
			at += m.read(p[at:])
			from = at
			continue
		}
		end := m.find(p, at)
		if end < 0 {
			break
		}
		at, from, m.phase = end, end, colon
	}
	if m.phase != searching {
		from = len(p) // all of it is taken
	}
	m.remember(p[from:], from == 0)
	return len(p), nil
}

// find returns where the next name in p[at:] ends, or -1. What it looks up is
// remembered in next until that is cleared.
func (m *Meter) find(p []byte, at int) int {
	first := -1
	for k, mark := range m.marks {
		if m.next[k] <= at {
			m.next[k] = len(p) + 1 // none
			if i := bytes.Index(p[at:], mark); i >= 0 {
				m.next[k] = at + i + 1 // so that 0 is not looked up yet
			}
		}
		if m.next[k] <= len(p) && (first < 0 || m.next[k] < m.next[first]) {
			first = k
		}
	}
	if first < 0 {
		return -1
	}
	m.mark = first
	return m.next[first] - 1 + len(m.marks[first])
}

// joint looks for a name that began in the last bytes before p, and returns how
// much of p it took.
func (m *Meter) joint(p []byte) int {
	if len(m.tail) == 0 {
		return 0
	}
	var buf [128]byte
	text := append(buf[:0], m.tail...)
	text = append(text, p[:min(len(p), m.keep)]...)
	clear(m.next)
	end := m.find(text, 0)
	if end < 0 || end-len(m.marks[m.mark]) >= len(m.tail) {
		return 0
	}
	m.phase = colon
	return end - len(m.tail)
}

// remember keeps the last bytes of p, after those that are kept already if it
// goes on with them. Bytes of a name or a value that has passed are not kept:
// no other name begins in them.
func (m *Meter) remember(p []byte, on bool) {
	if !on || len(p) >= m.keep {
		m.tail = m.tail[:0]
	}
	m.tail = append(m.tail, p[max(0, len(p)-m.keep):]...)
	m.tail = append(m.tail[:0], m.tail[max(0, len(m.tail)-m.keep):]...)
}

// note takes in a number: the last one counts, and one that cannot be true is
// the same as none.
func (m *Meter) note(i int, value []byte) {
	if isNull(value) {
		return
	}
	m.states[i] = wrong
	if n, ok := number(value); ok {
		if n, ok = m.terms[i].amount(n); ok {
			m.nums[i], m.states[i] = n, told
		}
	}
}

// Used returns what the response has told so far. A unit that it did not tell
// of, or told absurd numbers of, is missing.
func (m *Meter) Used() Units {
	var u Units
	for i, t := range m.terms {
		if m.states[i] == told {
			if u == nil {
				u = Units{}
			}
			u[t.Unit] += m.nums[i]
		}
	}
	for i, t := range m.terms {
		if m.states[i] == wrong {
			delete(u, t.Unit)
		}
	}
	if len(u) == 0 {
		return nil
	}
	return u
}
