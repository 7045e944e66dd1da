package phrases

import (
	"strings"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// limitsOther reports whether a sentence limits something else than the requests of a client,
// though it may speak of requests, calls, queries or a quota.
func limitsOther(sentence string) bool {
	return Has(sentence, other) || countsInOne(sentence) || asksPeople(sentence) || boundsOther(sentence) || isQuotaOf(sentence)
}

// holders are the things in which requests, calls and queries are counted, each by itself.
var holders = wordSet(`request batch document multicall changeset change multipart message conference search workflow
	transaction bundle pipeline file form payload array mutation script cart basket`)

// countsInOne reports whether a sentence counts what is in one thing: too many queries in one
// request, calls in this multicall, a limit per workflow. What is counted in a time is a rate.
func countsInOne(sentence string) bool {
	if Has(sentence, times) {
		return false
	}
	words := strings.Fields(sentence)
	for i, w := range words {
		if w != "in" && w != "per" && w != "within" || i+1 == len(words) {
			continue
		}
		at := i + 1
		switch words[at] {
		case "one", "this", "the", "each", "a", "single", "your":
			at++
		default:
			if w != "per" {
				continue
			}
		}
		if at < len(words) && sorts[words[at]] {
			at++
		}
		if at < len(words) && holders[words[at]] || holders[words[at-1]] {
			return true
		}
	}
	return false
}

// sorts are the words that may stand before such a thing.
var sorts = wordSet(`single same saved composite bulk batch`)

// times are the words of lengths of time.
var times = []string{"second", "seconds", "minute", "minutes", "hour", "hours", "day", "month", "period", "window", "interval"}

// asked are the words before the requests that people make of each other, or machines of a queue.
var asked = wordSet(`feature maintenance prefetch purchase vacation leave support approval pull merge friend connection follow
	join payment quote refund loan money song ride invite invitation delivery pickup holiday membership contact repair booking`)

// asksPeople reports whether a sentence speaks of requests that are no calls: feature requests,
// requests to join.
func asksPeople(sentence string) bool {
	last := ""
	for w := range strings.FieldsSeq(sentence) {
		if (w == "request" || w == "requests") && asked[last] {
			return true
		}
		last = w
	}
	return Has(sentence, []string{"requests to join", "requests to follow", "request to join", "request to follow"})
}

// counted are the words that may follow the number of a limit of requests.
var counted = wordSet(`requests request calls call queries query hits credits tokens times api per a an every each in within for and or
	concurrent simultaneous parallel http rpm rps qps qpm tpm . " is are was were allowed`)

// boundsOther reports whether a sentence says how much of something else there may be: at most
// 500 terms.
func boundsOther(sentence string) bool {
	what := counts(sentence, " at most ")
	return what != "" && !counted[what]
}

// isQuotaOf reports whether a sentence names what a quota or limit of a period is of, and that
// is not requests: a daily quota of cod, an hourly limit of labor.
func isQuotaOf(sentence string) bool {
	for _, period := range [...]string{" hourly ", " daily ", " weekly ", " monthly "} {
		_, rest, found := strings.Cut(sentence, period)
		if !found {
			continue
		}
		for _, kind := range [...]string{"quota of ", "limit of "} {
			after, ok := strings.CutPrefix(rest, kind)
			what, _, _ := strings.Cut(after, " ")
			if ok && what != "" && !counted[what] && !rateOwners[what] && !scan.IsDigit(what[0]) {
				return true
			}
		}
	}
	return false
}

// IsAboutField reports whether a sentence says of a field by its name that its value is out of
// bounds: requests_per_minute exceeds 6000.
func IsAboutField(text string) bool {
	before, _, found := strings.Cut(text, " exceeds ")
	if !found {
		return false
	}
	before = strings.TrimSuffix(before, " limit")
	if i := strings.Index(before, ": value"); i >= 0 {
		before = before[:i]
	}
	name := before[strings.LastIndexByte(before, ' ')+1:]
	for i := 1; i < len(name); i++ {
		if name[i] == '_' || 'A' <= name[i] && name[i] <= 'Z' && 'a' <= name[i-1] && name[i-1] <= 'z' {
			return 'a' <= name[0] && name[0] <= 'z'
		}
	}
	return false
}

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}
