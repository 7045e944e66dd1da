package cost

import "strings"

// read takes in what follows a name, up to the end of its value, and returns
// how much that was.
func (m *Meter) read(p []byte) int {
	for i, c := range p {
		switch m.phase {
		case colon:
			switch {
			case blank(c):
			case c == ':':
				m.phase = begin
			default: // it was no name
				m.phase = searching
				return i
			}
		case begin:
			if blank(c) {
				continue
			}
			m.phase, m.depth, m.inStr, m.esc, m.value = inside, 0, false, false, m.value[:0]
			fallthrough
		default:
			if m.depth == 0 && !m.inStr && ends(c) {
				m.over(true)
				return i
			}
			m.value = append(m.value, c)
			if m.step(c) {
				m.over(true)
				return i + 1
			}
			if len(m.value) == maxValue {
				m.over(false)
				return i + 1
			}
		}
	}
	return len(p)
}

// step follows the structure of a value and reports whether it ends with c.
func (m *Meter) step(c byte) bool {
	switch {
	case m.esc:
		m.esc = false
	case m.inStr && c == '\\':
		m.esc = true
	case c == '"':
		m.inStr = !m.inStr
		return !m.inStr && m.depth == 0
	case m.inStr:
	case c == '{' || c == '[':
		m.depth++
	case c == '}' || c == ']':
		m.depth--
		return m.depth <= 0
	}
	return false
}

// over takes in a value that has passed, or the beginning of one that is too
// long.
func (m *Meter) over(whole bool) {
	m.phase = searching
	if isNull(m.value) {
		return
	}
	m.whole, m.scan.text = whole, m.value
	if m.scan.found == nil {
		m.scan.found = m.member
	}
	m.scan.walk()
}

// member takes in a member of the value.
func (m *Meter) member(path, value []byte) {
	if len(path) == 0 && !m.whole {
		return
	}
	name := m.marks[m.mark]
	name = name[1 : len(name)-1]
	for i, t := range m.terms {
		if first, rest, _ := strings.Cut(t.Field, "."); first == string(name) && rest == string(path) {
			m.note(i, value)
		}
	}
}
