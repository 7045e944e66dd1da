package phrases

import (
	"strings"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// billingCodes are the error codes that say that only payment helps, in the
// form of Plain.
var billingCodes = []string{
	"insufficient quota", "insufficient credit", "insufficient credits", "insufficient balance", "insufficient funds",
	"billing hard limit", "billing not active", "billing limit", "credit balance", "credits exhausted", "credit exhausted",
	"out of credits", "no credits", "credit limit reached", "spend limit", "spending limit", "spend cap", "payment required",
	"account overdue", "arrearage", "exceeded budget", "billing quota", "budget exceeded",
}

// billingPhrases are sentences that say so.
var billingPhrases = []string{
	"insufficient credits", "insufficient credit", "insufficient balance", "insufficient funds", "insufficient quota",
	"not enough credits", "not enough credit", "out of credits", "run out of credits", "ran out of credits",
	"used all available credits", "exhausted your credits", "no credits left", "no credits remaining", "no remaining credits",
	"credit balance is too low", "balance is too low", "spend limit", "spending limit", "spend cap", "spending cap", "billing hard limit",
	"billing limit", "check your plan and billing", "account is overdue",
	"exceeded its monthly spending", "subscription has expired", "past due",
}

// unspacedBilling are such sentences in languages that put no spaces between words.
var unspacedBilling = []string{"欠费", "余额不足", "餘額不足", "残高不足"} //nolint:gosmopolitan // servers write in their own language

// billingAdvice are sentences that say so, except where the rate of requests is spoken of:
// there they say how to get a higher one.
var billingAdvice = []string{
	"add credits", "buy more credits", "buy credits", "purchase more credits", "purchase credits", "top up your", "check your billing",
	"payment method", "enable billing",
}

// rateWords speak of the rate of requests.
var rateWords = []string{"rate limit", "rate limits", "too many requests", "too many calls", "request limit", "higher limits", "throttled",
	"rate limited", "requests per minute", "requests per second"}

// PeriodPhrases name the period of a quota that is long.
var PeriodPhrases = []string{
	"daily limit", "daily quota", "daily request", "daily api", "daily usage", "daily rate", "over daily", "per day",
	"for today", "for the day", "requests today", "weekly limit", "weekly quota", "weekly usage", "per week", "monthly limit",
	"monthly quota", "monthly request", "monthly usage", "monthly api", "over monthly", "per month", "for this month",
	"for the month", "current billing period", "billing cycle", "day limit", "month limit", "daylimit",
}

// SaysBilling reports whether a code, or a text when sure words are asked for
// in it, says that only payment helps.
func SaysBilling(plain string, code bool) bool {
	if code {
		return Has(plain, billingCodes)
	}
	return Has(plain, billingPhrases) || ContainsAny(plain, unspacedBilling) ||
		Has(plain, billingAdvice) && !Has(plain, rateWords)
}

// AsksTooMuch reports whether a text says that one request asks for more than
// the limit allows at all: "Limit 10000, Used 0, Requested 12000".
func AsksTooMuch(plain string) bool {
	limit, ok := numberAfter(plain, " limit ")
	asked, told := numberAfter(plain, " requested ")
	if ok && told {
		return asked > limit && limit > 0
	}
	return Has(plain, []string{"request too large", "request is too large for", "received message larger than max"})
}

// numberAfter returns the number that follows a word at once in a text.
func numberAfter(plain, word string) (float64, bool) {
	for rest := plain; ; {
		i := strings.Index(rest, word)
		if i < 0 {
			return 0, false
		}
		rest = rest[i+len(word)-1:]
		if n, _, ok := scan.CutNumber(strings.TrimLeft(rest, " ")); ok && !n.Minus {
			return n.Float(), true
		}
	}
}
