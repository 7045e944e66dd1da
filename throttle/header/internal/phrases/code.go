package phrases

import "strings"

// ThrottleCodes are the codes by which AWS says that it throttles, as its SDKs
// have them: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html.
var ThrottleCodes = map[string]bool{
	"BandwidthLimitExceeded": true, "EC2ThrottledException": true,
	"PriorRequestNotComplete": true, "ProvisionedThroughputExceededException": true, "RequestLimitExceeded": true,
	"RequestThrottled": true, "RequestThrottledException": true, "SlowDown": true, "ThrottledException": true,
	"Throttling": true, "ThrottlingException": true, "TooManyRequestsException": true, "TransactionInProgressException": true,
}

// CountCode is the one code of the list that AWS also uses for how many things there may be.
const CountCode = "LimitExceededException"

// codePhrases are the words of error codes that say that requests were too many.
var codePhrases = []string{
	"rate limit", "rate limited", "rate limits", "ratelimit", "ratelimited", "ratelimiting", "rate limiting", "rate limiter",
	"too many requests", "toomanyrequests", "too many calls", "too many api calls", "too many queries", "too many concurrent requests",
	"throttle", "throttled", "throttling", "throttle error", "request throttled", "slow down", "slowdown",
	"over qps", "over qpm", "over qph", "over qpd", "concurrency limit reached", "over rate", "over query limit",
	"over daily limit", "over quota", "over request limit", "request limit exceeded", "request limit reached", "requests limit exceeded",
	"request quota exceeded", "call limit exceeded", "call limit reached", "api limit exceeded", "api limit reached", "api calls limit exceeded",
	"query limit exceeded",
	"query limit reached", "usage limit exceeded", "usage limit reached", "daily limit exceeded", "daily limit reached", "hourly limit exceeded",
	"user limit exceeded", "resource exhausted", "qps has exceeded the limit", "cuqps", "ckqps", "ciqps", "cqps", "query over limit",
	"access too frequent", "qps exceeded", "qps limit exceeded", "rate exceeded", "request rate exceeded",
	"quota limit exceeded", "call volume exceeded", "complexity budget exhausted", "complexity exception", "complexity budget exceeded",
	"maxlag", "too frequent", "requests too frequent", "frequency limit", "flood control", "concurrency limit exceeded", "concurrent limit exceeded",
	"concurrent requests exceeded", "max concurrent requests", "cost limit exceeded", "provisioned throughput exceeded",
	"individual quota per hour", "registered quota per week", "anonymous quota per minute", "anonymous quota per day", "budget exceeded",
	"exceeded api key allowance", "exceeded account allowance", "exceeded account trading allowance", "allowance exceeded", "error server busy",
	"flow limit exceeded", "abnormal usage detected", "temporary reduced capacity", "developer over rate", "service over qps",
	"service over rate", "account over rate", "daily request count", "monthly request count",
	"limited number of service requests", "too many write operations",
}

// quotaCodes may mean a quota of requests or of something else.
var quotaCodes = []string{
	"quota exceeded", "quotaexceeded", "quota exhausted", "quota reached", "insufficient quota", "exceeded quota", "quota limit",
	"quota failure", "out of quota",
}

// notRefusals are the words that make of such a code the name of another error.
var notRefusals = []string{
	"invalid", "required", "service quota", "missing", "not found", "unknown", "unsupported", "config", "configuration", "rule", "rules", "settings",
	"setting", "storage", "disk", "mailbox", "file", "files", "upload", "exchange", "interest", "price", "page", "length", "size",
	"coupon", "voucher", "promo", "friend", "refund", "phone", "pull request", "gift",
	"not allowed", "must be", "validation", "too low", "too high value", "exists", "transfer", "withdrawal", "payload", "batch", "document",
}

// Verdict is what an error code says.
type Verdict uint8

// The verdicts.
const (
	Other   Verdict = iota // something else
	Quota                  // that a quota is used up, of requests or of something else
	Limited                // that requests were too many
)

// ReadCode reads an error code: RATE_LIMITED, rateLimitExceeded,
// urn:ietf:params:acme:error:rateLimited. It returns the code as plain text too.
func ReadCode(code string) (Verdict, string) {
	plain := Plain(LastPart(code))
	switch {
	case Has(plain, notRefusals), strings.HasPrefix(plain, " already "):
		return Other, plain
	case Has(plain, codePhrases):
		return Limited, plain
	case Has(plain, quotaCodes):
		return Quota, plain
	}
	return Other, plain
}

// LastPart cuts the name space off a code and the address of its documentation:
// what follows the last of / # : and dot, but not an address behind a colon.
func LastPart(code string) string {
	if i := strings.Index(code, ":http"); i > 0 {
		code = code[:i]
	}
	code = strings.TrimRight(code, "/.")
	if i := strings.LastIndexAny(code, "/#:"); i >= 0 && i+1 < len(code) {
		code = code[i+1:]
	}
	return code
}

// IsCode reports whether a text is an error code, and not a sentence.
// Sentences in languages that put no spaces between words are none.
func IsCode(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		if s[i] == ' ' || s[i] >= 0x80 {
			return false
		}
	}
	return true
}
