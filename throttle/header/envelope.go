package header

import (
	"strings"

	"github.com/forbear-go/forbear/throttle/header/internal/phrases"
	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// readEnvelope looks for what the outermost object says of success and failure.
func (b *bodyFindings) readEnvelope(s *scan.JSON, key string) {
	switch {
	case s.Depth >= 2 && s.Path[1] == "data":
		b.data = b.data || s.Value != "null"
	case s.Depth >= 2 && (s.Path[1] == "error" || s.Path[1] == "errors" || s.Path[1] == "error_response"),
		s.Depth == 2 && s.Path[1] == "status" && errorKeys[key] == keyMessage,
		s.Depth <= 3 && key == "errortext" && s.Value != "",
		s.Depth == 2 && s.Path[1] == "result" && (key == "code" || key == "errorcode") && errorNumber(s.Value):
		b.failed = true
	}
	b.scalars++
	if s.Depth != 1 && !(s.Depth == 2 && wrappers[s.Path[1]]) {
		return
	}
	value := strings.ToLower(s.Value[:min(len(s.Value), 16)])
	switch key {
	case "success", "ok", "succeeded":
		b.failed = b.failed || value == "false" || value == "0"
	case "status", "message", "state", "result", "response", "ack":
		switch value {
		case "0", "error", "fail", "failed", "failure", "false", "notok", "ko", "nok", "erro":
			b.failed = true
		}
		b.failed = b.failed || key == "status" && len(value) == 3 && value[0] == '0' && value != "000" // 020
	case "statusmessage":
		b.failed = b.failed || value != "" && value != "ok" && value != "success"
	case "error", "err", "errormessage", "faultcode":
		b.failed = b.failed || value != "" && value != "null" && value != "false" && value != "0"
	case "errcode", "errorcode", "errno", "code", "retcode", "responsecode", "rtcd":
		n, ok := scan.ParseNumber(value)
		b.failed = b.failed || ok && !n.Zero() && n.Whole != 200
	case "note", "information":
		plain := phrases.Plain(s.Value[:min(len(s.Value), 4<<10)])
		b.note = b.note || phrases.Has(plain, noteWords)
	}
}

// wrappers are what the outermost object may hold all else in. A list holds it without a name.
var wrappers = map[string]bool{"": true, "retorno": true}

// errorNumber reports whether a code is one of those that number errors with letters before
// the figures: OP1013.
func errorNumber(code string) bool {
	figures := strings.TrimLeft(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")
	n, ok := scan.ParseNumber(figures)
	return ok && len(figures) < len(code) && !n.Zero()
}

// noteWords are what a note that stands in place of an answer says of limits.
var noteWords = []string{"rate limit", "call frequency", "requests per second", "request per second", "requests per minute",
	"calls per minute", "requests per day", "calls per day", "api requests more sparingly"}

// finish draws what follows from the body as a whole.
func (b *bodyFindings) finish() {
	if b.tooMany || b.quota && !b.other {
		b.refused = true
		b.certain = b.certain || b.failed
	}
	if b.note && b.scalars == 1 {
		b.refused, b.certain = true, true
	}
	if b.faulted && b.failed {
		b.certain = true
	}
	if b.data {
		b.certain = false // the server answered at least a part
	}
}
