package header

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
)

// Dialect tells how an API is to be read where its responses alone do not: a
// number whose unit only the documentation knows, a header with a name that
// follows no grammar, lists that do not say what they list. What the
// dialect does not mention is read as always. Its zero value changes nothing.
type Dialect struct {
	// Name is what people call it.
	Name string
	// Hosts are the hosts whose responses are in this dialect:
	// "api.example.com", or ".example.com" for all below it. Case and port do
	// not matter. With no hosts the dialect is for every host of the Reader that
	// it is given to.
	Hosts []string
	// Fields tells what header fields mean, by their names in any case.
	Fields map[string]Field
	// Periods tells what the members of comma lists stand for, in their order,
	// where the API sends "600,30000" and only its documentation says that the
	// first one is for 15 minutes.
	Periods []Period
	// Bodies says that successes of this API too are to be read with their body,
	// because it is there that a limit is told. It makes NeedsBody ask for them.
	Bodies bool
	// Refusals says that this API turns requests away with a status of 200, or 500, and says
	// so in the body. It makes NeedsBody ask for those bodies that are short.
	Refusals bool
	// Body tells what a body says that no rule of this package can read: how long the
	// server wants to be left alone, if it says so, and whether it turned the request
	// away. It gets the beginning of the body, at most MaxBody bytes, which it must not
	// change, and is called by many goroutines at once. Nil says nothing. It sees the
	// bodies of statuses that can mean a refusal, and with Bodies those of successes.
	Body func(status int, body []byte) (wait time.Duration, known, refused bool)

	silent bool // the API turns requests away with an empty 204
}

// Field is the meaning of a header field.
type Field struct {
	// Role is what the field tells. The zero value is Ignore.
	Role Role
	// Unit is the unit of a plain number of time, such as time.Millisecond. It
	// matters for Reset, Length and RetryAfter only. 0 leaves it to the number's size,
	// as everywhere else.
	Unit time.Duration
	// Window is the name of the window that the field is about; "" is the one
	// that has no name, called "default".
	Window string
	// Length is the period of that window; 0 if the documentation does not tell
	// either, or another field does.
	Length time.Duration
	// Counts is what the window counts, such as "tokens".
	Counts string
}

// Role is what a field tells of its window.
type Role uint8

// The roles of a field.
const (
	Ignore     Role = iota // nothing
	Limit                  // how much the window allows
	Remaining              // how much is left
	Used                   // how much is spent
	ResetTime              // when the window opens again
	Length                 // how long the window is
	RetryAfter             // when to come back
)

var roles = [...]names.Role{names.RoleNone, names.RoleLimit, names.RoleRemaining, names.RoleUsed, names.RoleReset, names.RoleLength, names.RoleRetry}

// Period is a window whose name and length are known from a documentation.
type Period struct {
	Name   string
	Length time.Duration
	// Aligned says that the window opens again at whole multiples of its length
	// since midnight UTC, where the response itself does not tell a reset.
	Aligned bool
}

// fields are the fields of dialects by their names in lower case.
type fields map[string]*names.Field

// dialectFamily is the family of the fields that a dialect gives to a window by name.
const dialectFamily = "dialect"

// compile checks a dialect and adds its fields to all.
func (d *Dialect) compile(all fields) error {
	for name, f := range d.Fields {
		switch {
		case name == "":
			return fmt.Errorf("header: dialect %q: a field without a name", d.Name)
		case int(f.Role) >= len(roles):
			return fmt.Errorf("header: dialect %q: field %q: no such role: %d", d.Name, name, f.Role)
		case f.Unit < 0, f.Length < 0:
			return fmt.Errorf("header: dialect %q: field %q: negative time", d.Name, name)
		}
		// A family of its own if it has the name of a window to keep it apart, that of
		// the grammar if not, so that one field can be changed and its
		// siblings left alone.
		c := &names.Field{Role: roles[f.Role], Name: name, Family: dialectFamily, Key: f.Window, Label: f.Window,
			Length: f.Length, Unit: f.Counts, Step: f.Unit}
		if known := names.Classify(name); known.Role != names.RoleNone && !known.Weak && f.Window == "" {
			c.Family, c.Key, c.Label = known.Family, known.Key, known.Label
			c.Length, c.Unit = max(c.Length, known.Length), max(c.Unit, known.Unit)
		}
		all[strings.ToLower(name)] = c
	}
	for _, p := range d.Periods {
		if p.Length < 0 {
			return fmt.Errorf("header: dialect %q: period %q: negative time", d.Name, p.Name)
		}
	}
	return nil
}

// speaks reports whether a host speaks the dialect.
func (d *Dialect) speaks(host string) bool {
	return slices.ContainsFunc(d.Hosts, func(h string) bool {
		h = strings.ToLower(h)
		return h == host || strings.HasPrefix(h, ".") && (strings.HasSuffix(host, h) || host == h[1:])
	})
}

// plainHost is a host in lower case without its port.
func plainHost(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
