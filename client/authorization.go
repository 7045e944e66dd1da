package client

import "strings"

// authorize notes the credential in an Authorization field. The value of a scheme that signs
// requests differs each time, so only its constant part counts: the signer and the key. Any
// other value counts as a whole.
func (s *spender) authorize(name, value string) {
	scheme, rest, _ := strings.Cut(value, " ")
	switch kindOf(scheme) {
	case whole:
		s.show(name, value, strong)
		return
	case singleUse:
		s.show(name, scheme, strong)
		return
	}
	s.authorizeBy(name, scheme, strings.TrimLeft(rest, " "))
}

// authorizeBy notes the credential of a scheme that may sign the request.
func (s *spender) authorizeBy(name, scheme, rest string) {
	parameters := false
	for left := rest; left != ""; {
		var p parameter
		p, left = nextParameter(left)
		if p.name == "" {
			break
		}
		parameters = true
		if use := useOf(p.name); use == identity {
			s.show(p.name, credentialOf(p.value), strong)
			name = ""
		}
	}
	switch {
	case name == "": // an identity was there
	case parameters:
		s.showStable(name, scheme, rest)
	default:
		id, sum, ok := strings.Cut(rest, ":")
		if !ok || !signs(scheme) && (len(id) < 4 || !isSum(sum)) {
			id = rest
		}
		s.show("scheme", scheme, strong)
		s.show(name, id, strong)
	}
}

// signs reports whether a scheme is known to be followed by who signs, a colon, and the
// signature.
func signs(scheme string) bool {
	switch strings.ToUpper(scheme) { // which does not allocate for those that are in capitals
	case "AWS", "GOOG1", "OSS", "OBS", "ACS", "QBOX", "QINIU", "UCLOUD":
		return true
	}
	return hasWord(scheme, "hmac") || hasWord(scheme, "sign") || hasWord(scheme, "sharedkey") || hasWord(scheme, "apiauth")
}

// hasWord reports whether a text has a word in it, which is in small letters.
func hasWord(text, word string) bool {
	for i := range len(text) - len(word) + 1 {
		if strings.EqualFold(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// isSum reports whether a text is as long as a checksum in base 64 or in hexadecimal, and
// made of the same letters.
func isSum(text string) bool {
	switch len(text) {
	case 22, 24, 27, 28, 32, 40, 43, 44, 64, 86, 88, 96, 128:
	default:
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case isAlphanumeric(c), c == '+', c == '/', c == '-', c == '_', c == '=':
		default:
			return false
		}
	}
	return true
}

// showStable notes the parameters of a scheme that names no signer, except those known to
// change.
func (s *spender) showStable(name, scheme, rest string) {
	s.show(name, scheme, strong)
	for left := rest; left != ""; {
		var p parameter
		p, left = nextParameter(left)
		if p.name != "" && useOf(p.name) != changing {
			s.show(p.name, p.value, strong)
		}
	}
}

// A kind is how much of the value of an Authorization field stays the same.
type kind uint8

const (
	signed    kind = iota // what parameters say, or what stands before a colon
	whole                 // all of it
	singleUse             // nothing but the scheme
)

// kindOf returns how much of a value stays the same by its scheme.
func kindOf(scheme string) kind {
	switch {
	case equalFold(scheme, "Bearer"), equalFold(scheme, "Basic"):
		return whole
	case equalFold(scheme, "Negotiate"), equalFold(scheme, "NTLM"), equalFold(scheme, "Kerberos"), equalFold(scheme, "PrivateToken"):
		return singleUse // each request has a token of its own
	}
	return signed
}

func equalFold(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// A parameter is one of an authorization: name=value, or name="value".
type parameter struct{ name, value string }

// nextParameter returns the first parameter of a list, and what follows it. Commas,
// semicolons, ampersands or blanks separate parameters. The name is empty if there is none.
func nextParameter(list string) (p parameter, rest string) {
	list = strings.TrimLeft(list, ",;& \t")
	for i := range len(list) {
		switch c := list[i]; {
		case isAlphanumeric(c), c == '_', c == '-', c == '*', c == '.':
			continue
		case c == '=' && i > 0:
			p.name = list[:i]
			p.value, rest = nextValue(list[i+1:])
			if strings.Trim(p.value, "=") == "" && rest == "" {
				return parameter{}, "" // the end of something in base 64
			}
			return p, rest
		}
		break
	}
	return parameter{}, ""
}

// nextValue returns the value at the beginning of a list, without its quotes.
func nextValue(list string) (value, rest string) {
	if strings.HasPrefix(list, `"`) {
		if value, rest, ok := strings.Cut(list[1:], `"`); ok {
			return value, rest
		}
	}
	if i := strings.IndexAny(list, ",;& \t"); i >= 0 {
		return list[:i], list[i:]
	}
	return list, ""
}

// A use is what a parameter is for.
type use uint8

const (
	other    use = iota
	identity     // who signs
	changing     // with each request
)

// useOf returns what a parameter is for by its name.
func useOf(name string) use {
	if len(name) > maxName {
		return other
	}
	var w words
	w.split(name)
	for i := range w.n {
		switch string(w.at(i)) {
		case "nonce", "cnonce", "nc", "ts", "t", "time", "timestamp", "date", "datetime", "created", "createdat", "expires", "expiry",
			"exp", "iat", "nbf", "jti", "se", "st", "ttl", "signature", "signed", "sign", "sig", "mac", "hmac", "hash", "digest",
			"passworddigest", "response", "opaque", "uri", "url", "path", "method", "query", "body", "bodyhash", "content", "payload",
			"headers", "signedheaders", "ext", "salt", "random", "rand", "seq", "sequence", "counter", "verifier", "proof", "p", "value":
			return changing
		}
	}
	switch string(w.at(0)) {
	case "credential", "username", "user", "userid", "login", "id", "keyid", "accesskeyid", "accesskey", "access", "ak", "ikey", "apikey",
		"appid", "appkey", "clientid", "consumer", "skn", "key", "token", "account", "principal":
		return identity
	}
	return other
}

// credentialOf returns the part of a credential that says whose it is: it may be followed by
// the day, the region and the service that it is for.
func credentialOf(value string) string {
	for i := range len(value) {
		switch {
		case value[i] == '/':
			return value[:i]
		case value[i] == '%' && i+2 < len(value) && value[i+1] == '2' && value[i+2]|0x20 == 'f':
			return value[:i]
		}
	}
	return value
}
