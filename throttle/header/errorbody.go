package header

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/names"
	"github.com/forbear-go/forbear/throttle/header/internal/phrases"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
	"github.com/forbear-go/forbear/throttle/header/internal/when"
)

// readError looks at one scalar of a JSON body for the codes, words and numbers
// by which errors say that a limit was hit.
func (b *bodyFindings) readError(s *scan.JSON, key string, base time.Time) {
	b.readEnvelope(s, key)
	if strings.HasSuffix(key, "exceeded") && s.Value == "false" {
		b.dropWaits(s.Object)
	}
	kind := errorKeys[key]
	if s.Key == ".tag" && s.Within("error") {
		kind = keyCode // Dropbox
	}
	if kind == keyOther && strings.HasSuffix(key, "message") {
		kind = keyMessage // developerErrorMessage
	}
	if kind == keyOther && s.Depth > 1 && s.Path[1] == "errors" && strings.IndexByte(s.Value, ' ') > 0 {
		kind = keyMessage // named for what is wrong: "errors": {"rateLimit": "Too many requests"}
	}
	if kind == keyOther {
		if s.Quoted && limitKeys[key] {
			b.other = b.other || phrases.Has(phrases.Plain(s.Value[:min(len(s.Value), names.MaxName)]), resources)
		}
		return
	}
	if n, ok := scan.ParseNumber(s.Value); ok {
		if kind == keyCode {
			b.readNumber(s, key, n)
		}
		return
	}
	if !s.Quoted {
		return
	}
	text := s.Value[:min(len(s.Value), 4<<10)]
	if b.textRead += len(text); b.textRead > maxErrorText {
		return
	}
	if text == "OAuthException" {
		b.oauth = true
	}
	if kind != keyMessage && phrases.IsCode(text) {
		b.readCode(s, key, text)
		return
	}
	b.readSentences(text, base)
}

// maxErrorText bounds how much text of a body is looked at for words.
const maxErrorText = 16 << 10

// keyKind tells what errors keep under a key.
type keyKind uint8

const (
	keyOther   keyKind = iota
	keyCode            // a code
	keyName            // a code, or the name of anything
	keyMessage         // words for people
)

// limitKeys are the keys under which errors name the limit that was reached.
var limitKeys = map[string]bool{"limit": true, "resource": true, "feature": true, "quota": true, "metric": true, "limitname": true, "limittype": true}

// errorKeys are the keys under which errors say what they are, in the form of plainKey.
var errorKeys = map[string]keyKind{
	"code": keyCode, "status": keyCode, "statuscode": keyCode, "errorcode": keyCode, "httpstatus": keyCode, "error": keyCode,
	"errno": keyCode, "retcode": keyCode, "errorid": keyCode, "errcode": keyCode, "type": keyCode, "errortype": keyCode,
	"errorname": keyCode, "reason": keyCode, "errorstatus": keyCode, "errorclass": keyCode, "errorkey": keyCode, "err": keyCode,
	"subcode": keyCode, "infocode": keyCode, "info": keyCode, "errorsubcode": keyCode, "quotaid": keyCode, "quotalimit": keyCode,
	"faultcode": keyCode, "errors": keyCode, "subtype": keyCode, "category": keyCode, "statusreason": keyCode,
	"name": keyName, "title": keyName, "policyname": keyName,
	"message": keyMessage, "errormessage": keyMessage, "msg": keyMessage, "detail": keyMessage, "details": keyMessage,
	"description": keyMessage, "errordescription": keyMessage, "faultstring": keyMessage, "retmsg": keyMessage,
	"errormsg": keyMessage, "errmsg": keyMessage, "note": keyMessage, "information": keyMessage, "result": keyMessage,
	"usermessage": keyMessage, "developermessage": keyMessage, "internalmessage": keyMessage, "errordetail": keyMessage,
	"displaymessage": keyMessage, "exception": keyMessage, "statusmessage": keyMessage, "fault": keyMessage, "cause": keyMessage,
	"moreinfo": keyMessage, "responsetext": keyMessage, "responsecode": keyCode, "submsg": keyMessage, "text": keyMessage,
	"hint": keyMessage, "errors[]": keyMessage, "errortext": keyMessage, "statustxt": keyCode, "errorsummary": keyCode,
	"resultmsg": keyCode, "erro": keyCode, "msg1": keyMessage, "msgcd": keyCode,
}

// readCode reads an error code that is a word.
func (b *bodyFindings) readCode(s *scan.JSON, key, code string) {
	if s.Key == "__type" && phrases.ThrottleCodes[phrases.LastPart(code)] {
		b.refused = true
		return
	}
	if s.Key == "__type" && phrases.LastPart(code) == phrases.CountCode {
		b.quota = true
		return
	}
	verdict, plain := phrases.ReadCode(code)
	if errorKeys[key] == keyName && verdict == phrases.Limited &&
		!phrases.Has(plain, []string{"error", "exception", "exceeded", "too many requests", "limited"}) {
		return // the name of a field, such as rate_limit
	}
	b.reason(plain, true)
	b.denied = b.denied || phrases.Has(plain, denials)
	switch verdict {
	case phrases.Quota:
		b.quota = true
	case phrases.Limited:
		b.refused = true
		// Behind a success it counts in a place for errors only: words may well be what
		// was asked for.
		b.certain = b.certain || s.Within("errors") || s.Within("error") || s.Within("extensions") || s.Within("header") ||
			s.Depth == 1 && (key == "error" || key == "errorstatus" || key == "errorcode" || b.failed) ||
			s.Depth == 1 && key == "status" && s.Value == strings.ToUpper(s.Value)
	}
}

// readCodeAlone reads a code from a place that holds nothing but error codes.
func (b *bodyFindings) readCodeAlone(code string) {
	code = code[:min(len(code), names.MaxName)]
	verdict, plain := phrases.ReadCode(code)
	b.refused = b.refused || verdict == phrases.Limited || phrases.ThrottleCodes[phrases.LastPart(code)]
	b.quota = b.quota || verdict == phrases.Quota || phrases.LastPart(code) == phrases.CountCode
	b.reason(plain, true)
}

// readNumber reads an error code that is a number.
func (b *bodyFindings) readNumber(s *scan.JSON, key string, n scan.Number) {
	if s.Depth > 3 {
		return
	}
	switch code := n.Whole; {
	case code == 429 && s.Depth <= 2:
		b.refused = true
		b.certain = b.certain || s.Depth == 1 && key != "status" || s.Within("error")
	case code == 99991400 && s.Depth == 1, // Lark
		(code == 10006 || code == 10018) && key == "retcode", // Bybit
		code == 429000 && key == "code":                      // KuCoin
		b.refused, b.certain = true, true
	case (code == 606 || code == 607 || code == 615) && s.Within("errors") && b.failed: // Marketo
		b.refused, b.certain = true, true
	case (code == 45009 || code == 45011) && key == "errcode", // WeChat
		code == 54003 && key == "errorcode": // Baidu Translate
		b.refused, b.certain = true, true
	case (code == 4 || code == 17 || code == 32 || code == 613 || code >= 80000 && code <= 80014) && b.oauth:
		// Meta: https://developers.facebook.com/docs/graph-api/overview/rate-limiting
		b.refused = true
	}
}

// readText reads a body that is not JSON: a sentence, a page, XML.
func (b *bodyFindings) readText(text string, base time.Time) {
	text = text[:min(len(text), 4<<10)]
	if text[0] == '<' {
		b.readElements(text, base)
		text = withoutTags(text)
	}
	// What begins so is no answer.
	b.failed = b.failed || strings.HasPrefix(text, "Error:") || strings.Contains(text, "\nError:")
	b.readSentences(text, base)
	b.finish()
}

// withoutTags returns the text between the tags of a page.
func withoutTags(page string) string {
	var b strings.Builder
	for page != "" {
		text, rest, _ := strings.Cut(page, "<")
		b.WriteString(text)
		b.WriteByte('\n')
		_, page, _ = strings.Cut(rest, ">")
	}
	return b.String()
}

// readSentences looks for limits and waits in sentences.
func (b *bodyFindings) readSentences(text string, base time.Time) {
	// A name space before the words, as in Kraken's EAPI:Rate limit exceeded.
	if space, words, ok := strings.Cut(text, ":"); ok && phrases.IsCode(space) && words != "" && scan.IsLetter(words[0]) {
		text = words
	}
	plain := phrases.Plain(text)
	b.tooMany = b.tooMany || phrases.SaysLimited(plain) && !phrases.IsAboutField(text)
	b.quota = b.quota || phrases.SaysSomeLimit(plain)
	b.tokens = b.tokens || phrases.SaysTokenLimit(plain)
	b.other = b.other || phrases.Has(plain, resources)
	b.denied = b.denied || phrases.Has(plain, denials)
	b.reason(plain, false)
	if t, ok := when.InProse(text, base); ok && !b.proseKnown {
		b.prose, b.proseKnown = Reset(t), true
	}
}

// denials are what servers say of a request that may not be made, however few there are.
var denials = []string{"signature", "expired", "token", "credentials", "credential", "permission", "permissions", "access denied", "not authorized",
	"unauthorized", "authentication", "scope", "scopes", "not allowed", "not permitted", "timestamp"}

// resources are things that plans and accounts limit by number.
var resources = []string{"storage", "disk", "mailbox", "upload", "uploads", "attachments", "seat", "seats", "items", "records", "cpu", "cpus",
	"cores", "instances", "instance", "projects", "members", "users", "workspaces", "resource",
	"addresses", "licenses", "license", "domains", "accounts", "devices", "gb", "bytes", "repositories", "buckets", "channels", "groups", "files", "webhooks",
	"webhook", "functions", "roles", "templates", "contacts", "policies", "aliases", "tags", "keys", "certificates", "rules", "maximum number of",
	"number of open", "cannot exceed quota"}

// reason looks for what ends the refusal. What a code says is sure; a sentence
// about billing may be advice.
func (b *bodyFindings) reason(plain string, code bool) {
	switch {
	case !code && phrases.AsksTooMuch(plain):
		b.tooLarge = true
	case phrases.SaysBilling(plain, code):
		b.billing, b.unpaid = true, b.unpaid || code
	case phrases.Has(plain, phrases.PeriodPhrases) && !phrases.Has(plain, shortPeriods):
		b.period = true
	}
}

// shortPeriods name periods that one can wait for.
var shortPeriods = []string{"per second", "per minute", "per min", "per hour", "a minute", "a second"}
