package client

import (
	"net/http"

	"github.com/forbear-go/forbear/client/internal/credentials"
)

// A KeyFunc returns the key of a request. Requests with the same key share their limits,
// whatever their hosts. If a KeyFunc returns an empty string, the default key applies:
// the host and the credentials of the request. A KeyFunc must not modify the request and
// must be safe for concurrent use. The client keeps only a hash of the key.
type KeyFunc func(*http.Request) string

// PerHost returns a KeyFunc that combines the key that f returns with the request's host.
func PerHost(f KeyFunc) KeyFunc {
	return func(req *http.Request) string {
		key := f(req)
		if key == "" {
			return ""
		}
		return credentials.Host(req.URL) + "\x00" + key
	}
}

// AuthorizationKey is a [KeyFunc] that considers only the host and the Authorization
// field. If the field is a signature, it considers only the signer, as the default does.
func AuthorizationKey(req *http.Request) string {
	s := credentials.Spender{URL: req.URL}
	if value := req.Header.Get("Authorization"); value != "" {
		s.Authorize(value)
	}
	return s.Identity()
}
