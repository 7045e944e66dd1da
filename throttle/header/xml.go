package header

import (
	"strings"
	"time"
)

// readElements looks for elements of an XML text that hold an error code, or that say
// when to come back by their name or their attribute Name: <Code>SlowDown</Code>,
// <RetryAfterSeconds>30</RetryAfterSeconds>, <Value Name="BackOffMilliseconds">297749</Value>.
func (b *bodyFindings) readElements(text string, base time.Time) {
	for {
		_, rest, found := strings.Cut(text, "<")
		if !found {
			return
		}
		tag, rest, found := strings.Cut(rest, ">")
		if !found {
			return
		}
		text = rest
		value, _, _ := strings.Cut(rest, "<")
		if value = trim(value); value == "" || len(value) > maxDate || tag == "" || tag[0] == '/' {
			continue
		}
		name, attributes, _ := strings.Cut(tag, " ")
		if i := strings.LastIndexByte(name, ':'); i >= 0 {
			name = name[i+1:]
		}
		switch lowerString(name) {
		case "code", "errorcode", "faultcode", "responsecode", "exceptioncode", "reason":
			if isCode(value) {
				b.readCodeAlone(value)
				verdict, _ := readCode(value)
				b.faulted = b.faulted || verdict != codeOther
			}
			continue
		}
		if unit, ok := waitKey(name); ok {
			b.addWait(value, unit, base)
		} else if unit, ok := waitKey(attributeName(attributes)); ok {
			b.addWait(value, unit, base)
		}
	}
}

// attributeName returns the value of the attribute Name.
func attributeName(attributes string) string {
	for _, start := range [...]string{`Name="`, `name="`} {
		if _, value, ok := strings.Cut(attributes, start); ok {
			value, _, _ = strings.Cut(value, `"`)
			return value
		}
	}
	return ""
}
