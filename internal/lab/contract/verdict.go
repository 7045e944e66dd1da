package contract

import "github.com/forbear-go/forbear/internal/lab/peer"

// A Verdict is how a client kept a clause.
type Verdict struct {
	Clause string `json:"clause"`
	Client string `json:"client"`
	Fault  string `json:"fault"` // empty if it was kept
}

// Wrappers returns the names of the clients that are tried: those that are an
// http.RoundTripper by themselves and send requests again.
func Wrappers() []string {
	return []string{"go-retryablehttp", "failsafe-go, retry", "go-github-ratelimit", peer.Forbear}
}
