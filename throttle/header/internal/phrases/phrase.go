// Package phrases tells from the words and codes of an error whether requests were too many.
package phrases

import (
	"strings"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// Plain returns a text as words in lower case with one space around each:
// " rate limit exceeded . retry in 1.5s ". Capitals inside a word, dashes and
// underscores separate words, so that a code reads like a sentence; the end
// of a sentence is a word of its own, and so is a quotation mark, because what
// is quoted is the name of something.
func Plain(text string) string {
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
			if i > 0 && StartsWord(text, i) {
				gap()
			}
			put(c | 0x20)
		case scan.IsLetter(c), c >= 0x80, scan.IsDigit(c):
			put(c)
		case c == '.' && i > 0 && i+1 < len(text) && scan.IsDigit(text[i-1]) && scan.IsDigit(text[i+1]):
			put(c)
		case c == ',' && i > 0 && i+1 < len(text) && scan.IsDigit(text[i-1]) && scan.IsDigit(text[i+1]), c == '\'' && i > 0 && scan.IsLetter(text[i-1]):
		case c == '.' && i > 0 && i+1 < len(text) && scan.IsLetter(text[i-1]) && 'a' <= text[i+1] && text[i+1] <= 'z':
			gap() // a name in parts: throttling.rate
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

// StartsWord reports whether the capital at i begins a word: the one behind
// aB, or the last one of ABCd.
func StartsWord(text string, i int) bool {
	before := text[i-1]
	if 'a' <= before && before <= 'z' {
		return true
	}
	return 'A' <= before && before <= 'Z' && i+1 < len(text) && 'a' <= text[i+1] && text[i+1] <= 'z' &&
		(i+2 >= len(text) || text[i+1] != 's' || scan.IsLetter(text[i+2])) // IDs, APIs
}

// Has reports whether a plain text has one of the phrases in it.
func Has(plain string, phrases []string) bool {
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
	"are rate limited", "is rate limited", "been rate limited", "being rate limited", "was rate limited", "request rate limited",
	"requests rate limited", "api rate limited", "getting rate limited", "got rate limited", "ratelimited", "being throttled", "been throttled",
	"request was throttled", "request is throttled", "requests are throttled", "request throttled", "requests throttled",
	"call was throttled", "calls are throttled", "you are throttled", "slow down", "secondary rate limit",
	"abuse detection", "out of call volume quota", "over rate limit", "over the rate limit", "over your rate limit",
	"over query limit", "over qps", "over qpm", "over qph", "over qpd", "over quota limit", "requests too fast", "requesting too fast", "requests too frequently",
	"requests too frequent", "requests too often", "requesting too frequently", "calling too frequently",
	"requests too quickly", "request rate too high", "request rate too large", "request rate is too high",
	"request rate is too large", "request rate is large", "call rate too high", "rate of requests is too high",
	"reduce your request rate", "reduce your rate", "reduce request rate", "reduce the rate of requests",
	"flood control", "request frequency", "api call frequency", "qps limit", "rate threshold", "too much request weight",
	"request weight used", "freq out of limit", "frequency out of limit", "too frequently called",
	"ip banned", "ip is banned", "ip has been banned", "banned for flooding", "temporarily banned", "not respecting the rate limit",
	"throttled out", "call limited", "interface times exceed", "call times exceed", "request times exceed", "access times exceed",
	"requests limited", "query limit exceeded", "maxlag", "out of rate limit", "developer over rate", "account over rate", "service over rate",
	"user usage reached", "application usage reached", "usage is over limit", "usage limit exceeded", "project over limit", "server busy please retry",
	"requests are too frequent", "above your daily maximum", "egress is over the account limit", "operations per second is over the account limit",
	"ingress is over the account limit", "api bloqueada por consumo", "consumo redundante",
	"demasiadas solicitudes", "demasiadas peticiones", "zu viele anfragen",
	"trop de requêtes", "troppe richieste", "muitas requisições", "muitas solicitações", "слишком много запросов", "te veel verzoeken",
	"zbyt wiele żądań", "çok fazla istek",
}

// limited are the things that a sentence can call used up.
var limited = []string{
	"ratelimit", "ratelimits", "request limit", "requests limit", "limit requests", "api limit", "api limits", "call limit", "calls limit",
	"query limit", "queries limit", "usage limit", "usage limits", "request rate", "requests rate", "call rate", "api rate", "request quota",
	"requests quota",
	"api quota", "call quota", "query quota", "usage quota", "rate quota", "quota limit", "daily quota", "hourly quota", "monthly quota",
	"request count", "throttle limit", "throttling limit", "throttle rate",
	"requests per second", "requests per minute", "requests per hour", "requests per day", "requests per month",
	"queries per second", "queries per minute", "queries per day", "calls per second", "calls per minute", "calls per hour",
	"calls per day", "calls per month", "queries per hour", "queries per month", "hourly limit", "number of requests", "number of api calls",
	"number of calls", "number of queries", "api calls",
	"api requests", "complexity budget", "request budget", "current quota", "quota metric", "concurrency limit", "frequency limit",
	"tokens per minute", "tokens per day", "rate limiter budget", "compute units per second", "request volume", "qps", "rps",
	"concurrent requests limit", "compute unit", "credits per minute", "access rate", "access frequency",
	"límite de solicitudes", "límite de peticiones", "límite de consultas", "límite de llamadas", "limite de requisições",
	"limite de solicitações", "limite de chamadas", "limite de requêtes", "limite d'appels", "limite di richieste", "anfragelimit", "anfragenlimit",
	"hourly request allocation", "daily request allocation", "monthly request allocation", "your daily points limit", "allotted message quota",
	"throughput rate", "número de acessos a api",
	"limit on concurrent calls", "limit on concurrent requests", "limit on the number of concurrent",
}

// exceeded are the words by which it says so.
var exceeded = []string{
	"exceeded", "exceed", "exceeds", "exceeding", "reached", "hit", "surpassed", "exhausted", "depleted", "over", "overrun",
	"used up", "triggered", "violated", "violation", "above", "breached", "run out", "ran out", "reach", "past",
	"excedido", "excedida", "excedeu", "alcanzado", "alcanzada", "superado", "superada", "atingido", "atingida", "ultrapassado",
	"dépassé", "dépassée", "atteint", "atteinte", "überschritten", "erreicht", "raggiunto", "superato",
}

// other are words that say that something else than requests is limited, or
// that a value is wrong.
var other = []string{
	"exchange", "interest", "conversion", "mortgage", "loan", "currency", "tax", "discount", "commission", "frame", "bit", "sample",
	"sampling", "refresh", "price", "pricing", "growth", "transfer", "withdrawal", "storage", "disk", "mailbox", "upload", "attachment",
	"attachments", "seat", "seats", "field", "parameter", "invalid", "required", "property", "attribute", "must be", "must not",
	"limit must", "rate must", "limits must", "cannot", "can not", "may not", "should not", "should be", "greater than", "less than", "between", "batch",
	"payload", "body", "array", "validation", "setting", "settings", "not valid", "unknown", "unsupported", "not supported", "scheduled",
	"missing", "tariff", "shipping",
	"hourly rate", "heart", "vacation", "leave", "per item", "per order", "per customer", "per user account", "speed",
	"purchase", "coupon", "coupons", "voucher", "promo", "promotion", "gift", "friend", "friends", "refund", "phone", "results", "pull requests",
	"sales quota", "license key", "licence key", "referral", "invitation", "exceeds that of",
	"spending limit", "credit limit", "policy document", "plan limit", "the maximum allowed value", "maximum value",
}

// whole are the sentences that say so only because they say nothing else.
var whole = map[string]bool{" rate exceeded ": true, " throttled ": true, " rate limit ": true, " throttling ": true,
	" throttle user ": true, " throttle host ": true, " throttle ip ": true, " please wait a few minutes before you try again ": true}

// SaysSomeLimit reports whether a plain text is nothing but the news that a limit was hit,
// whichever.
func SaysSomeLimit(plain string) bool {
	switch strings.TrimSuffix(plain, ". ") {
	case " limit exceeded ", " quota exceeded ", " quota limit exceeded ":
		return true
	}
	return false
}

// SaysTokenLimit reports whether a plain text is nothing but the news that a limit of tokens
// was reached.
func SaysTokenLimit(plain string) bool {
	switch strings.TrimSuffix(plain, ". ") {
	case " token limit exceeded ", " token limit reached ", " token quota exceeded ", " tokens limit exceeded ":
		return true
	}
	return false
}

// SaysLimited reports whether a plain text says that requests were too many.
// Limits of other things do not count, nor do errors about a value that is
// called a limit.
func SaysLimited(plain string) bool {
	for plain != "" {
		sentence := plain
		if i := strings.Index(plain, " . "); i >= 0 {
			sentence, plain = plain[:i+1], plain[i+2:]
		} else {
			plain = ""
		}
		if len(sentence) < 4 || limitsOther(sentence) {
			continue
		}
		if whole[sentence] || strings.HasPrefix(sentence, " rate limited ") || Has(sentence, refusals) || saysLimitedUnspaced(sentence) ||
			(Has(sentence, limited) || namesRateLimit(sentence) || limitsCalls(sentence)) && Has(sentence, exceeded) {
			return true
		}
	}
	return false
}

// namesRateLimit reports whether a sentence speaks of a rate limit of requests: the word
// before it is none, or one of those whose requests are counted. Exchange, dose and
// tax rates have limits too.
func namesRateLimit(sentence string) bool {
	for rest := sentence; ; {
		i := strings.Index(rest, " rate limit")
		if i < 0 {
			return false
		}
		before := rest[:i]
		before = before[strings.LastIndexByte(before, ' ')+1:]
		if before == "" || rateOwners[before] || scan.IsDigit(before[0]) {
			return true
		}
		rest = rest[i+1:]
	}
}

// limitsCalls reports whether a sentence speaks of a limit of so many requests: a limit
// of 1000 credits.
func limitsCalls(sentence string) bool {
	switch counts(sentence, " limit of ") {
	case "requests", "calls", "queries", "credits", "hits":
		return true
	}
	return false
}

// counts returns the word behind the words and a number: what there is so many of. It is empty if there
// is no such.
func counts(sentence, words string) (what string) {
	_, rest, found := strings.Cut(sentence, words)
	if !found {
		return ""
	}
	if _, rest, found = scan.CutNumber(rest); !found {
		return ""
	}
	what, _, _ = strings.Cut(strings.TrimLeft(rest, " "), " ")
	return what
}

// ContainsAny reports whether a text has one of the phrases in it, wherever words begin.
func ContainsAny(text string, phrases []string) bool {
	for _, p := range phrases {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// rateOwners are the words that may stand before a rate limit of requests.
var rateOwners = wordSet(`api apis request requests the your a an its our this that of for global secondary primary user users
	app application account ip key client service server max maximum overall standard daily hourly minute second monthly current
	endpoint route resource org organization project tenant workspace team token tokens query call calls method burst default
	anonymous authenticated shared free exceeded exceed exceeds exceeding hit hits reached over by to temporary graphql rest http bot
	merchant shop store developer partner model tpm rpm internal and search write read post get merged platform site public
	gas transaction compute rpc node event chat job batch completion embedding proxy session connection network send publish
	subscription allowable allowed permitted sec min concurrent concurrency new any tier plan upstream provider gateway hard soft your's " :
	message messages error`)
