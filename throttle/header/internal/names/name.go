package names

import (
	"slices"
	"strings"
	"time"
)

// Classify reads the name of a header field by the grammar
//
//	[HTTP_][X-][vendor-][window-]STEM[-unit|-window]-ROLE[-window|-unit][-time unit]
//
// whose parts come in nearly every order. It does not look at capitals, takes
// underscores for dashes, and knows no vendors: those whose names follow no
// grammar are in the table exceptions.
func Classify(name string) *Field {
	if len(name) > MaxName {
		return noField
	}
	low := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if f, ok := exceptions[low]; ok {
		f.Name = name
		return &f
	}
	if isErrorField(low) {
		return &Field{Name: name, Role: RoleCode}
	}
	if !mayLimit(low) {
		return noField
	}
	var n nameParts
	n.parse(low)
	f := Field{Name: name, Role: n.role()}
	if f.Role == RoleNone {
		return noField
	}
	f.Step, f.Full, f.Unit, f.Length = n.step, n.full, n.unit, n.length
	f.Weak, f.TTL = n.weak, n.ttl && f.Role == RoleReset
	if f.Role != RoleRetry {
		f.Family, f.Key = n.family, n.match()
		if n.bySize && len(n.key) > 0 {
			n.scope = append(n.scope, "size")
		}
		f.Label = strings.Join(append(n.scope, n.key...), "-")
	}
	// X-RateLimit-Tier: 3 is not a limit, but
	// Zendesk-RateLimit-Tickets-Index: total=100; remaining=99 holds one.
	f.Strict = f.Role == RoleStem && (n.packed || n.has[WordPeriod] < len(n.key) || !n.stem)
	return &f
}

// isErrorField reports whether a field of that name, in lower case, holds an error code:
// X-Amzn-ErrorType, X-Mashery-Error-Code, X-Rejection-Reason, MediaWiki-API-Error.
func isErrorField(low string) bool {
	for _, end := range [...]string{"error-code", "errorcode", "errortype", "error-type", "error-reason", "rejection-reason", "api-error", "x-error"} {
		if strings.HasSuffix(low, end) {
			return true
		}
	}
	return false
}

// mayLimit is a cheap test that most names fail. All names that the grammar
// accepts have one of these in them.
func mayLimit(low string) bool {
	for _, part := range [...]string{"limit", "limt", "retry", "quota", "rema", "-rl-", "used", "usage", "left",
		"reset", "available", "throttle", "made", "total", "max-", "-per-", "allowed", "-cost", "consum", "concurren", "qps", "codex", "mbx",
		"backoff", "cooldown", "again", "ed-until", "penalty-until"} {
		if strings.Contains(low, part) {
			return true
		}
	}
	return false
}

// NoFamily is the family of fields without a stem in their names.
const NoFamily = "~"

// nameParts is what the words of a name add up to.
type nameParts struct {
	has      [wordBlock + 1]int // how often each kind of word occurs
	family   string
	key      []string // words that name the window
	scope    []string // words before the stem that name the limiter, not the vendor
	unit     string
	length   time.Duration
	step     time.Duration
	full     float64
	stem     bool
	last     WordKind
	told     WordKind // the last of the kinds of a limit and a use
	behind   WordKind // the kind of word behind the last limit
	weak     bool
	bySize   bool
	ttl      bool
	until    bool
	packed   bool // a plain number means nothing: the value holds pairs
	lastWord string
	useLimit bool // ends with use and limit: how much of a limit is used
	costs    int  // how many of the decoys are the word cost
}

// match returns the words that name the window as they are compared with those of other
// fields: requests and request are the same.
func (n *nameParts) match() string {
	for i, w := range n.key {
		if Dictionary[w].Kind == WordUnit && Dictionary[w+"s"].Kind == WordUnit {
			key := slices.Clone(n.key)
			for ; i < len(key); i++ {
				if Dictionary[key[i]].Kind == WordUnit && Dictionary[key[i]+"s"].Kind == WordUnit {
					key[i] += "s"
				}
			}
			return strings.Join(key, "-")
		}
	}
	return strings.Join(n.key, "-")
}

// limiters are words before a stem that tell two limiters of one vendor apart;
// other words there are the vendor's name.
var limiters = []string{"app", "method", "read", "write", "user", "account", "ip", "endpoint", "global",
	"key", "search", "burst", "org", "team", "feature", "client", "tenant", "product"}

func (n *nameParts) parse(low string) {
	words := joinBased(joinPeriods(split(low, make([]string, 0, 16))))
	stem := stemAt(words)
	if stem < 0 {
		n.family = NoFamily
		if len(words) > 1 && words[0] == "x" && words[1] == "ms" {
			words = words[2:] // Microsoft, not milliseconds
		}
	} else {
		n.stem = true
		n.family = strings.Join(words[:stem+1], "-")
		before := words[:stem]
		if words[stem] == "limit" || words[stem] == "limits" {
			before = words[:stem-1]
		}
		for _, w := range before {
			n.prefix(w)
		}
	}
	if rest := words[stem+1:]; stem >= 0 && len(rest) > 2 && rest[0] == "by" && rest[1] == "size" {
		words = append(words[:stem+1], rest[2:]...) // Mistral's RateLimitBySize-Limit
		n.bySize = true
	}
	for _, w := range words[stem+1:] {
		n.add(w, LookUp(w))
	}
}

// joinPeriods makes one word of a number and the unit of time behind it: 24-hour,
// five-minutes.
func joinPeriods(words []string) []string {
	for i := 0; i+1 < len(words); i++ {
		n := words[i]
		if figure, ok := figures[n]; ok {
			n = figure
		} else if strings.Trim(n, "0123456789") != "" {
			continue
		}
		switch unit := strings.TrimSuffix(words[i+1], "s"); unit {
		case "second", "sec", "minute", "min", "hour", "day", "week":
			words[i] = n + unit
			words = append(words[:i+1], words[i+2:]...)
		}
	}
	return words
}

// joinBased makes one word of what something is based on: usage-based is no use.
func joinBased(words []string) []string {
	for i := 1; i < len(words); i++ {
		if words[i] == "based" {
			words[i-1] += "-based"
			words = append(words[:i], words[i+1:]...)
		}
	}
	return words
}

// figures are the numbers that names of periods have in words.
var figures = map[string]string{
	"one": "1", "two": "2", "three": "3", "five": "5", "ten": "10", "fifteen": "15", "thirty": "30", "sixty": "60",
}

// stemAt returns the index of the last word of the first stem, or -1.
func stemAt(words []string) int {
	for i, w := range words {
		if Dictionary[w].Kind == wordStem {
			return i
		}
		if i+1 < len(words) && (w == "rate" && Dictionary[words[i+1]].Kind == WordLimit ||
			w == "quota" && words[i+1] == "snapshot") {
			return i + 1
		}
		if w == "rate" && i+1 < len(words) && (i == 0 || i == 1 && words[0] == "x") {
			switch Dictionary[words[i+1]].Kind {
			case wordRemaining, wordReset:
				return i // X-Rate-Remaining
			case WordUnit:
				if i+2 < len(words) && Dictionary[words[i+2]].Kind == wordRemaining {
					return i // X-Rate-Calls-Remaining
				}
			}
		}
	}
	return -1
}

// prefix takes a word before the stem: a period or a unit, a limiter, or the
// vendor.
func (n *nameParts) prefix(w string) {
	switch d := LookUp(w); {
	case slices.Contains(limiters, w):
		n.scope = append(n.scope, w)
	case d.Kind == WordPeriod, d.Kind == WordUnit, d.Kind == wordRetry, d.Kind == wordDelta:
		n.add(w, d)
	}
}

// inPlace is what a word means where it stands, behind those before it.
func (n *nameParts) inPlace(w string, d Word) Word {
	switch w {
	case "sec", "secs":
		switch n.last {
		case wordLength, wordWait, wordPause, wordRetry, wordDelta, wordReset:
			return Word{Kind: wordTime, Length: time.Second}
		}
	case "end":
		if n.stem || n.last == wordLength {
			return Word{Kind: wordReset} // X-RateLimit-Window-End
		}
	case "attempts", "attempt":
		if n.stem {
			return Word{Kind: wordCount} // requests, where they are what is limited
		}
	}
	return d
}

func (n *nameParts) add(w string, d Word) {
	if (w == "size" || w == "length") && n.last == wordLength {
		return // Window-Size
	}
	d = n.inPlace(w, d)
	if d.Kind == wordTime && n.last == wordFree && len(n.key) > 0 && n.key[len(n.key)-1] == "audio" {
		// What is limited are seconds of audio, which no name of a time says otherwise.
		n.key[len(n.key)-1], n.unit = "audio-"+w, "audio-"+w
		return
	}
	if unit, ok := things[w]; ok && n.unit == "" && n.stem {
		n.unit = unit
	}
	if d.Kind == wordDecoy && things[w] == "cost" {
		n.costs++
	}
	n.ttl = n.ttl || w == "ttl"
	if n.useLimit = w == "limit" && n.lastWord == "use" && !slices.Contains(n.key, "fair"); n.useLimit {
		n.key = n.key[:len(n.key)-1]
	}
	n.lastWord = w
	n.until = n.until || w == "until"
	n.has[d.Kind]++
	if n.last == WordLimit {
		n.behind = d.Kind
	}
	n.last = d.Kind
	if d.Kind == WordLimit || d.Kind == wordUsed {
		n.told = d.Kind
	}
	switch d.Kind {
	case WordPeriod:
		n.length = d.Length
		if w == "today" {
			w = "day"
		}
		n.key = append(n.key, w)
	case WordUnit:
		if n.unit != concurrent {
			n.unit = d.Unit
		}
		n.key = append(n.key, w)
	case wordTime, wordReset:
		n.step = max(n.step, d.Length)
	case wordPercent:
		n.full, n.unit = 100, "percent"
	case wordShare:
		n.full, n.unit = 1, "fraction"
	case wordFree, wordBlock, WordQuota, wordName, wordScope, wordType, wordFlag:
		n.key = append(n.key, w)
	}
}
