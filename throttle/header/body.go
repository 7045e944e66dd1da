package header

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/phrases"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
	"github.com/forbear-go/forbear/throttle/header/internal/when"
)

// bodyFindings is what a body tells of a refusal.
type bodyFindings struct {
	refused      bool // the body speaks of a limit, which counts behind an error status
	certain      bool // it does so in a way that counts behind a success as well
	faulted      bool // the code of an XML text speaks of a limit
	wait         Reset
	waitKnown    bool  // there is a wait
	waitBefore   Reset // what wait was before the object at hand, whose number is waitObject
	waitObject   int
	openObject   int  // the number of the last object that says of its limit that it is not exceeded
	onSuccess    bool // the wait is meant also on a success
	prose        Reset
	proseKnown   bool // there is a wait in prose
	oauth        bool // the error is one of Meta's
	graph        shopifyCost
	quotedFields int // fields quoted from a header that were looked at

	failed   bool // the outermost object says that the request failed
	tooMany  bool // a message says that requests were too many
	tokens   bool // a message says that a limit of tokens was reached, of one request or of all
	quota    bool // a code says that a quota is used up, of any kind
	other    bool // a message speaks of something else than requests
	denied   bool // words or a code speak of a signature, a token or a permission
	data     bool // there is data beside the errors
	note     bool // a note in the outermost object is about the rate of requests
	textRead int  // how much text was looked at
	scalars  int  // how many there are

	tooLarge bool // the request asks for more than the limit
	billing  bool // words or a code say that payment is wanted
	unpaid   bool // a code does
	period   bool // words or a code name the quota of a long period
}

// shopifyCost is the state of the bucket that Shopify's GraphQL answers tell.
type shopifyCost struct{ most, now, rate, asked Count }

// readBody looks for what servers say about limits in bodies only.
func (r *Reading) readBody(body []byte, said *bodyFindings) {
	text := strings.TrimLeft(string(body[:min(len(body), MaxBody)]), " \t\r\n\ufeff")
	if text == "" {
		said.finish()
		return
	}
	if isForm(text) {
		r.readForm(text, said)
		return
	}
	if text[0] != '{' && text[0] != '[' {
		said.readText(text, r.base())
		return
	}
	s := scan.JSON{Text: text}
	for s.Next() {
		r.readMember(&s, said)
	}
	r.readShopify(said)
	said.finish()
}

// readMember looks at one scalar of a JSON body.
func (r *Reading) readMember(s *scan.JSON, said *bodyFindings) {
	switch key := plainKey(s.Key); key {
	case "throttleseconds":
		// Bungie sends it always; 0 is no wait.
		if n, ok := scan.ParseNumber(s.Value); ok && !n.Zero() {
			said.addWait(s.Value, 0, s.Object, r.base())
			said.onSuccess = true
		}
	case "backoff":
		// Stack Exchange asks for a pause on a success.
		if s.Depth == 1 && !s.Quoted {
			said.addWait(s.Value, 0, s.Object, r.base())
			said.onSuccess = said.waitKnown
		}
	case "ttl":
		// How long the counter lives, in a store such as Redis.
		if s.Depth == 1 && !s.Quoted {
			said.addWait(s.Value, time.Second, s.Object, r.base())
		}
	case "quotamax", "quotaremaining":
		r.readQuota(s, key)
	case "violatedpolicies":
		r.readViolated(s.Value)
	case "maximumavailable":
		said.graph.most = parseCount(s.Value)
	case "currentlyavailable":
		said.graph.now = parseCount(s.Value)
	case "restorerate":
		said.graph.rate = parseCount(s.Value)
	case "requestedquerycost":
		said.graph.asked = parseCount(s.Value)
	default:
		unit, ok := when.Key(s.Key)
		if !ok && s.Depth > 1 {
			unit, ok = when.NestedKey(s.Path[s.Depth-1], s.Key)
		}
		if ok {
			said.addWait(s.Value, unit, s.Object, r.base())
			return
		}
		said.readError(s, key, r.base())
		if said.quotedFields < maxHits && r.status >= 400 && strings.IndexByte(s.Key, '-') > 0 {
			said.quotedFields++
			r.readQuotedHeader(s)
		}
	}
}

// addWait adds a wait that an object of that number tells. Of several the longest counts.
func (b *bodyFindings) addWait(v string, unit time.Duration, object int, base time.Time) {
	if object > 0 && object == b.openObject {
		return
	}
	if object != b.waitObject {
		b.waitBefore, b.waitObject = b.wait, object
	}
	t, ok := parseReset(v, unit)
	if ok && !absurd(v, t, base) && (!b.waitKnown || t.Delay(base) > b.wait.Delay(base)) {
		b.wait, b.waitKnown = t, true
	}
}

// dropWaits takes back what an object said of waiting, because it describes a limit that was
// not exceeded, in a list of limits of which another one was.
func (b *bodyFindings) dropWaits(object int) {
	b.openObject = object
	if object == b.waitObject {
		b.wait, b.waitKnown = b.waitBefore, b.waitBefore.Known()
	}
}

// readQuota reads Stack Exchange's quota_max and quota_remaining.
func (r *Reading) readQuota(s *scan.JSON, key string) {
	n, ok := scan.ParseNumber(s.Value)
	if !ok || s.Depth != 1 {
		return
	}
	f := names.Field{Role: names.RoleLimit, Family: "body"}
	if key == "quotaremaining" {
		f.Role = names.RoleRemaining
	}
	r.assignNumber(&f, 0, n)
}

// readViolated reads the names of the policies that a request ran into, from a
// problem of the type quota-exceeded. See draft-ietf-httpapi-ratelimit-headers
// section 7. A policy without a rest in the response has none left.
func (r *Reading) readViolated(name string) {
	for i := range r.parts {
		if p := &r.parts[i]; p.key == name && p.Remaining.State == Absent && r.status >= 400 {
			p.Remaining = Count{State: Known}
		}
	}
}

// readQuotedHeader reads rate-limit fields that a proxy quotes in the body of an
// error, as OpenRouter does.
func (r *Reading) readQuotedHeader(s *scan.JSON) {
	f := names.Of(s.Key)
	switch f.Role {
	case names.RoleLimit, names.RoleRemaining, names.RoleUsed, names.RoleReset, names.RoleRetry:
		if f.Family != names.NoFamily {
			r.assign(f, []string{s.Value})
		}
	}
}

// readShopify makes a window of the cost that GraphQL answers carry. A query
// that was refused fits as soon as what it lacks has been restored.
func (r *Reading) readShopify(said *bodyFindings) {
	g := &said.graph
	if !g.most.Known() || !g.now.Known() || !g.rate.Known() {
		return
	}
	p := r.at(&names.Field{Family: "body"}, 0)
	if p == nil {
		return
	}
	p.Unit = "points"
	p.setLimit(g.most)
	p.setRemaining(g.now)
	p.PerSecond = g.rate.Value
	if lack := g.asked.Value - g.now.Value; said.certain && g.asked.Known() && lack > 0 && g.rate.Value > 0 {
		if seconds := lack / g.rate.Value; seconds < maxDelta {
			said.wait = Reset{In: time.Duration(seconds * float64(time.Second)), Resolution: time.Second}
			said.waitKnown = true
		}
	}
}

// plainKey is a key without what vendors spell differently: case, dashes,
// underscores and spaces.
func plainKey(key string) string {
	if len(key) > 32 {
		return ""
	}
	var buf [32]byte
	n := 0
	for i := range len(key) {
		if c := scan.Lower(key[i]); c != '-' && c != '_' && c != '.' && c != ' ' {
			buf[n] = c
			n++
		}
	}
	return string(buf[:n])
}

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
		if value = scan.Trim(value); value == "" || tag == "" || tag[0] == '/' {
			continue
		}
		name, attributes, _ := strings.Cut(tag, " ")
		if i := strings.LastIndexByte(name, ':'); i >= 0 {
			name = name[i+1:]
		}
		switch strings.ToLower(name) {
		case "faultstring", "text":
			// The words of a fault of SOAP are for people. They count as its code does.
			b.faulted = b.faulted || phrases.SaysLimited(phrases.Plain(value))
			continue
		case "ack":
			b.failed = b.failed || scan.EqualFold(value, "failure")
			continue
		case "errmsg":
			b.failed = true
			continue
		case "code", "errorcode", "faultcode", "responsecode", "exceptioncode", "reason", "returnauthmsg":
			if phrases.IsCode(value) {
				b.readCodeAlone(value)
				verdict, _ := phrases.ReadCode(value)
				b.faulted = b.faulted || verdict != phrases.Other
			}
			continue
		}
		if len(value) > scan.MaxDate {
			continue
		}
		if unit, ok := when.Key(name); ok {
			b.addWait(value, unit, 0, base)
		} else if unit, ok := when.Key(attributeName(attributes)); ok {
			b.addWait(value, unit, 0, base)
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
