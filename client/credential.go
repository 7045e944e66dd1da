package client

import "bytes"

// A class is how well a field, query parameter or cookie identifies the caller.
type class uint8

const (
	public class = iota // it does not
	weak                // it does where nothing strong is shown: a session, or a name that means other things too
	strong              // it holds a credential
)

// classOf returns the class of a header field by its name.
func classOf(name string) class { return classify(name, false) }

// classOfParameter returns the class of a query parameter by its name, as it is in the
// URL. Most parameters describe the request and not the caller, so fewer names count.
func classOfParameter(name string) class { return classify(name, true) }

// classify goes by the last word of a name, and by those before it.
func classify(name string, parameter bool) class {
	if len(name) < 3 || len(name) > maxName || !mayEnd(name[len(name)-2]|0x20, name[len(name)-1]|0x20) {
		return public
	}
	var w words
	w.split(name)
	if string(w.at(0)) == "id" {
		return classOfID(w.at(1), w.at(2))
	}
	noun, joined := nounOf(w.at(0))
	for i := 1; i < w.n; i++ {
		if denies(noun, w.at(i)) {
			return public
		}
	}
	if denies(noun, joined) {
		return public
	}
	switch noun {
	case nounSecret:
		return strong
	case nounSession:
		return weak
	case nounKey, nounToken:
		if !parameter {
			return strong
		}
		before := joined
		if len(before) == 0 {
			before = w.at(1)
		}
		if qualifies(before) {
			return strong
		}
		return weak
	case nounAuth:
		if parameter {
			return weak
		}
		return strong
	}
	return public
}

// mayEnd reports whether the name of a credential can end with these letters.
func mayEnd(a, b byte) bool {
	switch string([]byte{a, b}) {
	case "ey", "en", "et", "rd", "wd", "id", "al", "ls", "th", "on", "se", "wt", "ss":
		return true
	}
	return false
}

// classOfID returns the class of the id of something: whether it is one that callers have.
func classOfID(of, before []byte) class {
	switch string(of) {
	case "access": // GoogleAccessId
		return strong
	case "key": // AccessKeyId
		if qualifies(before) {
			return strong
		}
		return weak
	case "pair": // Key-Pair-Id
		if string(before) == "key" {
			return strong
		}
	case "app", "application", "client", "session", "sess":
		return weak
	}
	return public
}

// A noun is what the last word of a name means.
type noun uint8

const (
	nounNone noun = iota
	nounKey
	nounToken
	nounSecret
	nounSession
	nounAuth
)

// nouns are the last words, the longer before those that they end with.
var nouns = [...]struct {
	word string
	noun noun
}{
	{"authorization", nounSecret}, {"authentication", nounSecret}, {"passphrase", nounSecret}, {"credentials", nounSecret}, {"credential", nounSecret},
	{"password", nounSecret}, {"passwd", nounSecret}, {"secret", nounSecret}, {"wsse", nounSecret}, {"pwd", nounSecret}, {"jwt", nounSecret},
	{"sessionid", nounSession}, {"session", nounSession}, {"sessid", nounSession}, {"clientid", nounSession}, {"appid", nounSession}, {"keyid", nounKey},
	{"token", nounToken}, {"auth", nounAuth}, {"key", nounKey}, {"pass", nounAuth}, {"sid", nounSession},
}

// nounOf returns what a word means, and what else is joined to it, as in apikey.
func nounOf(word []byte) (n noun, joined []byte) {
	for i := range nouns {
		known := &nouns[i]
		if before := len(word) - len(known.word); before >= 0 && string(word[before:]) == known.word {
			joined = word[:before]
			if before > 0 && (known.word == "pass" || known.word == "sid" || known.word == "jwt") {
				return nounNone, nil // bypass, inside
			}
			return known.noun, joined
		}
	}
	return nounNone, nil
}

// denies reports whether a word before a noun says that it is not a credential: a key under
// which something is stored, a token of a page or a form.
func denies(n noun, word []byte) bool {
	switch string(word) {
	case "idempotency", "idempotent", "dedup", "dedupe", "deduplication", "request", "transaction", "correlation", "trace",
		"csrf", "xsrf", "antiforgery", "forgery", "verification", "captcha", "recaptcha", "turnstile", "nonce", "lock", "proxy", "sec":
		return true
	}
	switch n {
	case nounKey:
		switch string(word) {
		case "cache", "surrogate", "partition", "shard", "sharding", "sort", "sorting", "order", "ordering", "routing", "route", "affinity",
			"hash", "range", "row", "record", "primary", "foreign", "object", "item", "entity", "index", "message", "event", "group",
			"batch", "file", "blob", "bucket", "storage", "lookup", "map", "variant", "vary", "public", "encryption", "websocket",
			"translation", "feature", "flag", "start", "end", "last", "next":
			return true
		}
	case nounToken:
		switch string(word) {
		case "page", "paging", "pagination", "next", "prev", "previous", "last", "start", "starting", "after", "before",
			"continuation", "continue", "cursor", "sync", "resume", "resumption", "scroll", "skip", "delta", "change", "upload", "search",
			"device", "push", "registration", "form", "stop", "max", "min":
			return true
		}
	}
	return false
}

// qualifies reports whether a word before key or token makes it a credential wherever it
// stands.
func qualifies(word []byte) bool {
	if bytes.HasSuffix(word, []byte("api")) { // hapikey
		return true
	}
	switch string(word) {
	case "app", "application", "auth", "oauth", "oauth2", "access", "subscription", "consumer", "client", "developer", "dev", "user",
		"member", "account", "customer", "license", "licence", "secret", "private", "personal", "service", "server", "partner", "merchant",
		"integration", "session", "security", "bearer", "refresh", "bot", "admin", "master", "jwt", "rapidapi":
		return true
	}
	return false
}
