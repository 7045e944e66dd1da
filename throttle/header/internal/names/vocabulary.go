package names

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// WordKind is the part that a word plays in the name of a rate-limit field.
type WordKind uint8

// The kinds of words.
const (
	wordFree      WordKind = iota // not in the dictionary: part of a window's name
	wordStem                      // ratelimit
	WordLimit                     // limit
	wordMax                       // words for a limit, if nothing else in the name is a role
	WordQuota                     // quota: the same, and as good as a stem
	wordRemaining                 // remaining, left
	wordAvailable                 // words for remaining, if nothing else is
	wordUsed                      // used, usage
	wordCount                     // words for used, if nothing else is
	wordReset                     // reset, expire
	wordNext                      // next: when one more request is possible
	wordLength                    // period, window
	wordPolicy                    // policy
	wordRetry                     // retry
	wordWait                      // wait, delay
	wordPause                     // backoff, cooldown: the same, and sure of it without a stem
	wordName                      // name, resource
	wordScope                     // scope, bucket
	wordType                      // type
	WordPeriod                    // minute, daily: a window by its length
	WordUnit                      // requests, tokens
	wordTime                      // ms, seconds: the unit of a number of time
	wordDelta                     // after, in: the number is a delay
	wordAt                        // time, at, date: says that it is about time, which is clear
	wordPercent                   // percent
	wordShare                     // utilization: a share of one, or percent
	WordFiller                    // per, this
	wordStatus                    // status: a decoy, except behind limit
	wordRunning                   // running: words for used where requests at once are limited
	wordFlag                      // global, tier: says nothing alone, names the window beside a role
	wordDecoy                     // the field says nothing about a window
	wordBlock                     // a limit of something else than requests, unless ratelimit stands beside it
)

// Word is what a word means.
type Word struct {
	Kind   WordKind
	Length time.Duration // of wordPeriod and wordTime
	Unit   string        // of wordUnit
}

// Dictionary holds the words of names, as they occur between dashes or glued
// together (ResourceDailyLimit; HTTP/2 leaves no capitals to cut at).
var Dictionary = func() map[string]Word {
	m := map[string]Word{
		"ratelimit": {Kind: wordStem}, "ratelimits": {Kind: wordStem}, "rl": {Kind: wordStem},
		"ratelimiting": {Kind: wordStem}, "ratelimiter": {Kind: wordStem}, "throttle": {Kind: wordStem}, "spike": {Kind: wordStem},
		// Vendors whose limits have names without any common stem.
		"codex": {Kind: wordStem}, "mbx": {Kind: wordStem}, "bapi": {Kind: wordStem},
		"utilization": {Kind: wordShare}, "utilisation": {Kind: wordShare}, "util": {Kind: wordShare},
		"status": {Kind: wordStatus}, "next": {Kind: wordNext},
	}
	add := func(kind WordKind, words ...string) {
		for _, w := range words {
			m[w] = Word{Kind: kind}
		}
	}
	add(WordLimit, "limit", "limt", "lim", "limits", "allotted")
	add(wordMax, "max", "maximum", "total", "capacity", "allowed", "ceiling")
	add(WordQuota, "quota")
	add(wordRemaining, "remaining", "remaning", "remain", "remains", "left", "rem")
	add(wordAvailable, "available")
	add(wordUsed, "used", "usage", "consumed", "made", "spent")
	add(wordCount, "count", "hits", "current", "observed", "state")
	add(wordReset, "reset", "resets", "expire", "expires", "expiry", "expiration", "renew", "renews", "clear", "refresh", "replenishment", "until")
	add(wordLength, "period", "interval", "window", "duration", "renewal", "range", "timeframe", "timespan")
	add(wordRunning, "running", "active", "inflight", "flight", "inuse", "executing")
	add(wordFlag, "global", "tier", "source", "action", "category", "problem", "rule", "info", "mode", "version", "group")
	add(wordPolicy, "policy")
	m["ttl"] = Word{Kind: wordReset, Length: time.Second}
	add(wordRetry, "retry", "again")
	add(wordWait, "wait", "delay")
	add(wordPause, "backoff", "cooldown")
	add(wordName, "name", "resource", "context")
	add(wordScope, "scope", "bucket")
	add(wordType, "type")
	add(wordDelta, "after", "in")
	add(wordAt, "time", "at", "date", "on", "timestamp", "utc")
	add(wordPercent, "percent", "percentage", "pct")
	add(WordFiller, "per", "this", "by", "to", "x", "http")
	add(wordDecoy, "cost", "costs", "docs", "doc", "reason", "rules", "rate", "fill", "drip", "increment",
		"last", "near", "requested", "claim", "addr", "address",
		"remote", "url", "link", "id", "enabled", "exempt", "applied", "reached", "limited",
		"algorithm", "strategy", "warning", "should", "replenish", "exceeded", "charge", "added", "currentrequest")
	add(wordBlock, "page", "pages", "pagination", "item", "items", "result", "results", "record", "records", "row",
		"rows", "upload", "download", "file", "files", "disk", "storage", "memory", "size", "body", "content", "cache",
		"offset", "length", "age", "bytes", "depth", "redirect", "redirects", "timeout", "attempt", "attempts", "retries",
		"cpu", "mailbox", "seats", "users", "policies", "password", "login")
	for w, length := range map[string]time.Duration{
		"second": time.Second, "secondly": time.Second, "sec": time.Second, "qps": time.Second, "rps": time.Second,
		"minute": time.Minute, "minutely": time.Minute, "min": time.Minute, "rpm": time.Minute, "tpm": time.Minute, "tpd": scan.Day,
		"qpm": time.Minute, "qph": time.Hour, "rph": time.Hour, "qpd": scan.Day,
		"hour": time.Hour, "hourly": time.Hour, "day": scan.Day, "daily": scan.Day, "today": scan.Day, "rpd": scan.Day,
		"week": 7 * scan.Day, "weekly": 7 * scan.Day, "month": scan.Month, "monthly": scan.Month,
		"year": scan.Year, "yearly": scan.Year, "annual": scan.Year,
	} {
		m[w] = Word{Kind: WordPeriod, Length: length}
	}
	for w, step := range map[string]time.Duration{
		"nanos": time.Nanosecond, "nanoseconds": time.Nanosecond, "micros": time.Microsecond, "microseconds": time.Microsecond,
		"ms": time.Millisecond, "msec": time.Millisecond, "millis": time.Millisecond,
		"millisecond": time.Millisecond, "milliseconds": time.Millisecond,
		"seconds": time.Second, "secs": time.Second, "minutes": time.Minute, "mins": time.Minute, "hours": time.Hour,
	} {
		m[w] = Word{Kind: wordTime, Length: step}
	}
	for w, unit := range map[string]string{
		"request": "requests", "requests": "requests", "req": "requests", "reqs": "requests",
		"token": "tokens", "tokens": "tokens", "credit": "credits", "credits": "credits",
		"point": "points", "points": "points", "call": "calls", "calls": "calls", "weight": "weight",
		"order": "orders", "orders": "orders", "concurrent": "concurrent-requests", "concurrency": "concurrent-requests",
		"thread": "concurrent-requests", "threads": "concurrent-requests", "connection": "concurrent-requests", "connections": "concurrent-requests",
		"read": "reads", "reads": "reads", "writes": "writes", "write": "writes", "deletes": "deletes", "error": "errors", "errors": "errors",
		"query": "queries", "queries": "queries", "operation": "operations", "operations": "operations", "messages": "messages", "message": "messages",
		"unit": "units", "units": "units", "event": "events", "events": "events", "search": "searches", "searches": "searches",
		"images": "images", "characters": "characters", "complexity": "complexity",
	} {
		m[w] = Word{Kind: WordUnit, Unit: unit}
	}
	return m
}()

// things are words for what a window counts that are no part of a role, with the unit
// they name. One request may take many of each. Names such as uploads
// and users are not among them: they may be routes, whose requests are counted.
var things = map[string]string{
	"bytes": "bytes", "kilobytes": "kilobytes", "megabytes": "megabytes", "objects": "objects", "records": "records", "rows": "rows",
	"pages": "pages", "chars": "characters", "emails": "emails", "documents": "documents", "neurons": "neurons", "transactions": "transactions",
	"cost": "cost", "costs": "cost", "usd": "usd", "dollars": "usd", "cents": "cents",
	"tpm": "tokens", "tpd": "tokens", "rpm": "requests", "rps": "requests", "rph": "requests", "rpd": "requests",
}

// UnitOf returns the unit that a word in lower case names, "" if it names none.
func UnitOf(w string) string {
	if d := Dictionary[w]; d.Kind == WordUnit {
		return d.Unit
	}
	return things[w]
}

// glue holds words that occur only inside longer ones. They are apart from the
// Dictionary because alone they are as good as any name.
var glue = map[string]bool{
	"per": true, "app": true, "user": true, "token": true, "cross": true, "read": true, "write": true,
	"api": true, "burst": true, "ip": true, "key": true, "account": true, "org": true, "counter": true, "client": true, "post": true,
	"to": true, "feature": true, "size": true, "global": true,
}

// LookUp finds a word, also a period written as number and unit ("10s", "24hour").
func LookUp(s string) Word {
	if w, ok := Dictionary[s]; ok {
		return w
	}
	if len(s) > 1 && scan.IsDigit(s[0]) {
		n, rest, ok := scan.CutNumber(s)
		if ok && n.Digits == 0 && n.Whole > 0 {
			// Upper-case M is a minute too: Binance's 1M.
			if d, _, ok := scan.ParseDuration(s); ok && rest != "" && d > 0 {
				return Word{Kind: WordPeriod, Length: d}
			}
		}
	}
	return Word{}
}

// split cuts a name in lower case into words, and glued words into theirs.
func split(name string, words []string) []string {
	start := 0
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != '-' && name[i] != '_' && name[i] != '.' {
			continue
		}
		if part := name[start:i]; part != "" {
			words = unglue(part, words)
		}
		start = i + 1
	}
	return words
}

// maxWord is the length of the longest word in the dictionary.
const maxWord = 13

// unglue appends the words that part consists of, or part itself when it is
// not made of known words altogether. Of several ways to cut, it takes the one
// with the fewest words.
func unglue(part string, words []string) []string {
	if LookUp(part).Kind != wordFree || len(part) > 48 || len(part) < 5 {
		return append(words, part)
	}
	if i := strings.IndexAny(part, "0123456789"); i > 1 && Dictionary[part[:i]].Kind == WordUnit && LookUp(part[i:]).Kind == WordPeriod {
		return append(words, part[:i], part[i:]) // req10s
	}
	var fewest, from [49]int
	for end := 1; end <= len(part); end++ {
		for start := max(0, end-maxWord); start < end; start++ {
			if start > 0 && fewest[start] == 0 {
				continue
			}
			piece := part[start:end]
			if !glue[piece] && (end-start < 2 || Dictionary[piece].Kind == wordFree) {
				continue
			}
			if n := fewest[start] + 1; fewest[end] == 0 || n < fewest[end] {
				fewest[end], from[end] = n, start
			}
		}
	}
	if fewest[len(part)] == 0 {
		// A vendor's own word before the stem: AcmeRateLimit.
		if head, ok := strings.CutSuffix(part, "ratelimit"); ok && len(head) > 1 {
			return append(words, head, "ratelimit")
		}
		return unglueSuffix(part, words)
	}
	n := len(words) + fewest[len(part)]
	for range fewest[len(part)] {
		words = append(words, "")
	}
	for end := len(part); end > 0; end = from[end] {
		n--
		words[n] = part[from[end]:end]
	}
	return words
}

// unglueSuffix cuts a vendor's own word off what says what is counted and what of it is
// told: acmeRequestsRemaining.
func unglueSuffix(part string, words []string) []string {
	for head := 2; head+8 <= len(part); head++ {
		for cut := head + 3; cut+3 <= len(part); cut++ {
			unit, role := Dictionary[part[head:cut]], Dictionary[part[cut:]]
			if unit.Kind != WordUnit && unit.Kind != WordQuota {
				continue
			}
			switch role.Kind {
			case WordLimit, wordRemaining, wordUsed, wordReset:
				return append(words, part[:head], part[head:cut], part[cut:])
			}
		}
	}
	return append(words, part)
}
