package client

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// A KeyFunc says who spends: requests for which it returns the same string share
// their limits. It must not change the request, and is called by many goroutines
// at once. What it returns is kept only as a hash.
type KeyFunc func(*http.Request) string

// The fields that carry a credential, in the order in which they are hashed.
const (
	authorization = iota
	apiKeyField
	xAPIKey
	xAuthToken
	xAccessToken
	xConnectorToken
	xGoogAPIKey
	xRapidAPIKey
	privateToken
	xShopifyToken
	xAuthKey
	subscriptionKey
	userInfo
	queryCredential
	credentials
)

// credentialField returns which of the fields above a canonical name is.
func credentialField(name string) (int, bool) {
	switch name {
	case "Authorization":
		return authorization, true
	case "Api-Key", "Apikey":
		return apiKeyField, true
	case "X-Api-Key", "X-Apikey":
		return xAPIKey, true
	case "X-Auth-Token":
		return xAuthToken, true
	case "X-Access-Token":
		return xAccessToken, true
	case "X-Connector-Token":
		return xConnectorToken, true
	case "X-Goog-Api-Key":
		return xGoogAPIKey, true
	case "X-Rapidapi-Key":
		return xRapidAPIKey, true
	case "Private-Token":
		return privateToken, true
	case "X-Shopify-Access-Token":
		return xShopifyToken, true
	case "X-Auth-Key":
		return xAuthKey, true
	case "Ocp-Apim-Subscription-Key":
		return subscriptionKey, true
	}
	return 0, false
}

// queryCredentials are the names under which a query carries a credential, and
// nothing else.
var queryCredentials = [...]string{"api_key", "apikey", "api-key", "access_token"}

// A spender is what a request shows of who spends: its host, and what the caller
// told or else its credentials.
type spender struct {
	url   *url.URL
	key   string
	told  bool
	shown uint32              // which credentials there are, by bit
	found [credentials]string // none is empty that is shown
}

// look finds the credentials of a request.
func (s *spender) look(req *http.Request) {
	if len(req.Header) > 0 { // a loop over nothing has a price too
		s.lookThrough(req.Header)
	}
	if s.url.User != nil && s.found[authorization] == "" {
		s.show(userInfo, s.url.User.String())
	}
	if value := queryCredentialOf(s.url.RawQuery); value != "" {
		s.show(queryCredential, value)
	}
}

// lookThrough finds the credentials in a header.
func (s *spender) lookThrough(h http.Header) {
	for name, values := range h {
		if len(values) == 0 {
			continue
		}
		if name != "" && name[0] >= 'a' && name[0] <= 'z' { // set past http.Header.Set
			name = textproto.CanonicalMIMEHeaderKey(name)
		}
		if i, ok := credentialField(name); ok {
			s.show(i, values[0])
		}
	}
}

// show notes a credential. A later one under the same name replaces it.
func (s *spender) show(i int, value string) {
	s.found[i] = value
	s.shown &^= 1 << i
	if value != "" {
		s.shown |= 1 << i
	}
}

// implied returns the port that the scheme of a URL implies, or 0.
func implied(u *url.URL) uint64 {
	switch u.Scheme {
	case "https":
		return 443
	case "http":
		return 80
	}
	return 0
}

// hostOf returns the host of a URL, without the port that its scheme implies.
func hostOf(u *url.URL) string {
	switch implied(u) {
	case 443:
		return strings.TrimSuffix(u.Host, ":443")
	case 80:
		return strings.TrimSuffix(u.Host, ":80")
	}
	return u.Host
}

func appendLower(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// queryCredentialOf returns the credential in a query, still escaped.
func queryCredentialOf(query string) string {
	for query != "" {
		part := query
		if i := strings.IndexByte(query, '&'); i >= 0 {
			part, query = query[:i], query[i+1:]
		} else {
			query = ""
		}
		if part == "" || part[0]|0x20 != 'a' { // as all of them begin
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		for _, known := range queryCredentials {
			if strings.EqualFold(name, known) {
				return value
			}
		}
	}
	return ""
}
