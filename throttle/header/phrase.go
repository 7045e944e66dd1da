package header

import "strings"

// plainText returns a text as words in lower case with one space around each:
// " rate limit exceeded . retry in 1.5s ". Capitals inside a word, dashes and
// underscores separate words, so that a code reads like a sentence; the end
// of a sentence is a word of its own, and so is a quotation mark, because what
// is quoted is the name of something.
func plainText(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/4 + 2)
	b.WriteByte(' ')
	last := byte(' ')
	put := func(c byte) {
		b.WriteByte(c)
		last = c
	}
	gap := func() {
		if last != ' ' {
			put(' ')
		}
	}
	for i := range len(text) {
		c := text[i]
		switch {
		case 'A' <= c && c <= 'Z':
			if i > 0 && startsWord(text, i) {
				gap()
			}
			put(c | 0x20)
		case isLetter(c), c >= 0x80, isDigit(c):
			put(c)
		case c == '.' && i > 0 && i+1 < len(text) && isDigit(text[i-1]) && isDigit(text[i+1]):
			put(c)
		case c == ',' && i > 0 && i+1 < len(text) && isDigit(text[i-1]) && isDigit(text[i+1]), c == '\'' && i > 0 && isLetter(text[i-1]):
		case c == '.', c == '!', c == '?', c == '\n':
			gap()
			put('.')
			put(' ')
		case c == '"', c == '`', c == '\'':
			gap()
			put('"')
			put(' ')
		default:
			gap()
		}
	}
	gap()
	return b.String()
}

// startsWord reports whether the capital at i begins a word: the one behind
// aB, or the last one of ABCd.
func startsWord(text string, i int) bool {
	before := text[i-1]
	if 'a' <= before && before <= 'z' {
		return true
	}
	return 'A' <= before && before <= 'Z' && i+1 < len(text) && 'a' <= text[i+1] && text[i+1] <= 'z' &&
		(i+2 >= len(text) || text[i+1] != 's' || isLetter(text[i+2])) // IDs, APIs
}

// hasPhrase reports whether a plain text has one of the phrases in it.
func hasPhrase(plain string, phrases []string) bool {
	for _, p := range phrases {
		if hasWords(plain, p) {
			return true
		}
	}
	return false
}

// hasWords reports whether a plain text has these words in it, one after the other.
func hasWords(plain, words string) bool {
	for start := 0; ; {
		i := strings.Index(plain[start:], words)
		if i < 0 {
			return false
		}
		i += start
		if end := i + len(words); i > 0 && plain[i-1] == ' ' && end < len(plain) && plain[end] == ' ' {
			return true
		}
		start = i + 1
	}
}

// refusals are phrases that say by themselves that a limit was hit.
var refusals = []string{
	"too many requests", "too many api requests", "too many calls", "too many api calls", "too many queries",
	"too many concurrent requests", "too many concurrent connections", "too many concurrent calls", "too many request",
	"too many simultaneous requests", "too many requests per second", "too many open connections",
	"rate limited", "rate limiting", "ratelimited", "rate limited exceeded", "being throttled", "been throttled",
	"request was throttled", "request is throttled", "requests are throttled", "request throttled", "requests throttled",
	"call was throttled", "calls are throttled", "you are throttled", "slow down", "secondary rate limit",
	"abuse detection", "out of call volume quota", "over rate limit", "over the rate limit", "over your rate limit",
	"over query limit", "over qps", "over quota limit", "requests too fast", "requesting too fast", "requests too frequently",
	"requests too frequent", "requests too often", "requesting too frequently", "calling too frequently",
	"requests too quickly", "request rate too high", "request rate too large", "request rate is too high",
	"request rate is too large", "request rate is large", "call rate too high", "rate of requests is too high",
	"reduce your request rate", "reduce your rate", "reduce request rate", "reduce the rate of requests",
	"flood control", "request frequency", "api call frequency", "qps limit", "rate threshold", "call limited",
	"requests limited", "query limit exceeded", "maxlag", "server busy please retry",
	"请求过于频繁", "请求太频繁", "demasiadas solicitudes", "demasiadas peticiones", "zu viele anfragen",
	"trop de requêtes", "troppe richieste", "muitas requisições", "muitas solicitações", "слишком много запросов",
}

// limited are the things of which a sentence can say that they are used up.
var limited = []string{
	"rate limit", "rate limits", "ratelimit", "ratelimits", "request limit", "requests limit", "api limit", "api limits", "call limit", "calls limit",
	"query limit", "queries limit", "usage limit", "usage limits", "request rate", "requests rate", "call rate", "api rate", "request quota", "requests quota",
	"api quota", "call quota", "query quota", "usage quota", "rate quota", "throttle limit", "throttling limit", "throttle rate",
	"requests per second", "requests per minute", "requests per hour", "requests per day", "requests per month",
	"queries per second", "queries per minute", "queries per day", "calls per second", "calls per minute", "calls per hour",
	"calls per day", "number of requests", "number of api calls", "number of calls", "number of queries", "api calls",
	"api requests", "complexity budget", "request budget", "current quota", "quota metric", "concurrency limit", "frequency limit",
	"tokens per minute", "tokens per day", "rate limiter budget", "compute units per second", "request volume", "qps", "rps",
	"concurrent requests limit", "search limit", "compute unit", "token limit", "credits per minute",
}

// exceeded are the words by which it says so.
var exceeded = []string{
	"exceeded", "exceed", "exceeds", "exceeding", "reached", "hit", "surpassed", "exhausted", "depleted", "over", "overrun",
	"used up", "triggered", "violated", "violation", "above", "breached", "run out", "ran out", "reach", "past",
}

// other are words that say that something else than requests is limited, or
// that a value is wrong.
var other = []string{
	"exchange", "interest", "conversion", "mortgage", "loan", "currency", "tax", "discount", "commission", "frame", "bit", "sample",
	"sampling", "refresh", "price", "pricing", "growth", "transfer", "withdrawal", "storage", "disk", "mailbox", "upload", "attachment",
	"attachments", "seat", "seats", "field", "parameter", "invalid", "required", "property", "attribute", "must be", "must not",
	"limit must", "rate must", "limits must", "cannot", "can not", "may not", "should not", "should be", "greater than", "less than", "between", "batch",
	"payload", "body", "array", "validation", "setting", "settings", "not valid", "unknown", "unsupported", "missing", "tariff", "shipping",
	"hourly rate", "heart", "vacation", "leave", "per item", "per order", "per customer", "per user account", "speed",
	"purchase", "spending limit", "credit limit", "policy document", "plan limit", "the maximum allowed value", "maximum value",
}

// saysLimited reports whether a plain text says that requests were too many.
// Limits of other things do not count, nor do errors about a value that is
// called a limit.
func saysLimited(plain string) bool {
	for plain != "" {
		sentence := plain
		if i := strings.Index(plain, " . "); i >= 0 {
			sentence, plain = plain[:i+1], plain[i+2:]
		} else {
			plain = ""
		}
		if len(sentence) < 4 || hasPhrase(sentence, other) {
			continue
		}
		if sentence == " rate exceeded " || sentence == " throttled " || sentence == " rate limit " || sentence == " throttling " ||
			sentence == " limit exceeded " || hasPhrase(sentence, refusals) ||
			hasPhrase(sentence, limited) && hasPhrase(sentence, exceeded) {
			return true
		}
	}
	return false
}
