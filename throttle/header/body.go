package header

import (
	"strings"
	"time"
)

// bodySays is what a body tells of a refusal.
type bodySays struct {
	refused bool // the body speaks of a limit, which counts behind an error status
	surely  bool // it does so in a way that counts behind a success as well
	wait    Reset
	named   bool // there is a wait
	meant   bool // the wait is meant also on a success
	prose   Reset
	said    bool // there is a wait in prose
	oauth   bool // the error is one of Meta's
	graph   shopifyCost
	quoted  int // fields quoted from a header that were looked at
}

// shopifyCost is the state of the bucket that Shopify's GraphQL answers tell.
type shopifyCost struct{ most, now, rate, asked Count }

// readBody looks for what servers say about limits in bodies only.
func (r *Reading) readBody(body []byte, said *bodySays) {
	text := strings.TrimLeft(string(body[:min(len(body), MaxBody)]), " \t\r\n\ufeff")
	if text == "" {
		return
	}
	if text[0] != '{' && text[0] != '[' {
		said.speak(text)
		return
	}
	s := jsonScan{text: text}
	for s.next() {
		r.readMember(&s, said)
	}
	r.readShopify(said)
}

// readMember looks at one scalar of a JSON body.
func (r *Reading) readMember(s *jsonScan, said *bodySays) {
	switch key := plainKey(s.key); key {
	case "retryafter", "retryafterseconds", "retryafterinseconds", "retryin", "retryinseconds", "retrydelay",
		"waitseconds", "secondstowait", "waittime", "resetsinseconds", "resetinseconds", "resetsin", "resetafter",
		"resetsat", "resetat":
		said.hear(s.value, 0, r.base())
	case "retryafterms", "retryaftermilliseconds", "retryinms", "retryaftermillis", "waitms":
		said.hear(s.value, time.Millisecond, r.base())
	case "throttleseconds":
		// Bungie sends it always; 0 is no wait.
		if n, ok := parseNumber(s.value); ok && !n.zero() {
			said.hear(s.value, 0, r.base())
			said.meant = true
		}
	case "backoff":
		// Stack Exchange asks for a pause on a success.
		if s.depth == 1 && !s.quoted {
			said.hear(s.value, 0, r.base())
			said.meant = said.named
		}
	case "quotamax", "quotaremaining":
		r.readQuota(s, key)
	case "violatedpolicies":
		r.readViolated(s.value)
	case "maximumavailable":
		said.graph.most = parseCount(s.value)
	case "currentlyavailable":
		said.graph.now = parseCount(s.value)
	case "restorerate":
		said.graph.rate = parseCount(s.value)
	case "requestedquerycost":
		said.graph.asked = parseCount(s.value)
	default:
		said.readError(s, key)
		if said.quoted < maxHits && r.status >= 400 && strings.IndexByte(s.key, '-') > 0 {
			said.quoted++
			r.readQuotedHeader(s)
		}
	}
}

// hear takes a wait. Of several the longest counts.
func (b *bodySays) hear(v string, unit time.Duration, base time.Time) {
	t, ok := parseReset(v, unit)
	if ok && !absurd(v, t, base) && (!b.named || t.Delay(base) > b.wait.Delay(base)) {
		b.wait, b.named = t, true
	}
}

// readError looks for the words and numbers by which errors say that a limit
// was hit.
func (b *bodySays) readError(s *jsonScan, key string) {
	switch key {
	case "code", "status", "statuscode", "errorcode", "httpstatus", "error", "errno", "retcode", "errorid":
		if !s.quoted || isDigit(firstByte(s.value)) {
			b.readCode(s, key)
			return
		}
	case "type", "errortype", "name", "errorname", "reason", "errorstatus", "title", "message", "errormessage",
		"msg", "detail", "details", "description", "errordescription", "faultstring", "policyname", "errors", "retmsg":
	default:
		return
	}
	if !s.quoted {
		return
	}
	if s.value == "OAuthException" {
		b.oauth = true
	}
	b.speak(s.value)
	// Behind a success only an error code counts, in a place for errors: words
	// may well be what was asked for.
	if isCode(s.value) && (key == "error" && s.depth == 1 || key == "errorstatus" && s.depth == 1 ||
		key == "code" && (s.within("errors") || s.within("error"))) && speaksOfLimit(s.value) {
		b.surely = true
	}
}

// readCode looks at a numeric error code.
func (b *bodySays) readCode(s *jsonScan, key string) {
	n, ok := parseNumber(s.value)
	if !ok || s.depth > 3 {
		return
	}
	switch code := n.whole; {
	case code == 429 && s.depth <= 2:
		b.refused = true
		b.surely = b.surely || s.depth == 1 && key != "status" || s.within("error")
	case code == 99991400 && s.depth == 1, // Lark
		(code == 10006 || code == 10018) && key == "retcode", // Bybit
		code == 429000 && key == "code":                      // KuCoin
		b.refused, b.surely = true, true
	case (code == 4 || code == 17 || code == 32 || code == 613 || code >= 80000 && code <= 80014) && b.oauth:
		// Meta: https://developers.facebook.com/docs/graph-api/overview/rate-limiting
		b.refused = true
	}
}

// speak looks at words for people.
func (b *bodySays) speak(text string) {
	text = text[:min(len(text), 4<<10)]
	if speaksOfLimit(text) {
		b.refused = true
	}
	if t, ok := waitInProse(text); ok && !b.said {
		b.prose, b.said = t, true
	}
}

// readQuota reads Stack Exchange's quota_max and quota_remaining.
func (r *Reading) readQuota(s *jsonScan, key string) {
	n, ok := parseNumber(s.value)
	if !ok || s.depth != 1 {
		return
	}
	f := field{role: roleLimit, family: "body"}
	if key == "quotaremaining" {
		f.role = roleRemaining
	}
	r.putNumber(&f, 0, n)
}

// readViolated reads the names of the policies that a request ran into, from a
// problem of the type quota-exceeded. See draft-ietf-httpapi-ratelimit-headers
// section 7. Those of which no rest is told have none.
func (r *Reading) readViolated(name string) {
	for i := range r.parts {
		if p := &r.parts[i]; p.key == name && p.Remaining.State == Absent && r.status >= 400 {
			p.Remaining = Count{State: Known}
		}
	}
}

// readQuotedHeader reads rate-limit fields that a proxy quotes in the body of an
// error, as OpenRouter does.
func (r *Reading) readQuotedHeader(s *jsonScan) {
	f := fieldOf(s.key)
	switch f.role {
	case roleLimit, roleRemaining, roleUsed, roleReset, roleRetry:
		if f.family != "~" {
			r.put(f, []string{s.value})
		}
	}
}

// readShopify makes a window of the cost that GraphQL answers carry. A query
// that was refused fits as soon as what it lacks has been restored.
func (r *Reading) readShopify(said *bodySays) {
	g := &said.graph
	if !g.most.Known() || !g.now.Known() || !g.rate.Known() {
		return
	}
	p := r.at(&field{family: "body"}, 0)
	if p == nil {
		return
	}
	p.Unit = "points"
	p.setLimit(g.most)
	p.setRemaining(g.now)
	if lack := g.asked.Value - g.now.Value; said.surely && g.asked.Known() && lack > 0 && g.rate.Value > 0 {
		if seconds := lack / g.rate.Value; seconds < maxDelta {
			said.wait = Reset{In: time.Duration(seconds * float64(time.Second)), Resolution: time.Second}
			said.named = true
		}
	}
}

// plainKey is a key without what vendors spell differently: case, dashes and
// underscores.
func plainKey(key string) string {
	if len(key) > 32 {
		return ""
	}
	var buf [32]byte
	n := 0
	for i := range len(key) {
		if c := lower(key[i]); c != '-' && c != '_' && c != '.' {
			buf[n] = c
			n++
		}
	}
	return string(buf[:n])
}

func firstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

// isCode tells an error code from words for people.
func isCode(s string) bool { return len(s) <= 64 && strings.IndexByte(s, ' ') < 0 }
