package client

import (
	"bytes"
	"net/http"
	"strings"
)

// isGlobal reports whether a refusal says that it is about more than what was asked for:
// about the account or the address.
func isGlobal(resp *http.Response, body []byte) bool {
	if resp.StatusCode == http.StatusTeapot { // an address that is banned
		return true
	}
	for _, name := range [...]string{"X-Ratelimit-Global", "X-Ratelimit-Scope", "Ratelimit-Scope", "X-Rate-Limit-Scope"} {
		switch strings.ToLower(strings.TrimSpace(resp.Header.Get(name))) {
		case "true", "global", "ip", "account", "application":
			return true
		}
	}
	body = bytes.ToLower(body[:min(len(body), maxGlobalBody)])
	for _, said := range [...]string{
		`"global":true`, `"global": true`,
		"ip banned", "ip is banned", "ip has been banned", "ip address has been", "blocked your ip", "banned until",
	} {
		if bytes.Contains(body, []byte(said)) {
			return true
		}
	}
	return false
}

// maxGlobalBody is how much of a refusal's body is looked at.
const maxGlobalBody = 4 << 10
