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

// appendDefault appends the host of a request and its credentials.
func appendDefault(text []byte, req *http.Request) []byte {
	var found [credentials]string
	for name, values := range req.Header {
		if len(values) == 0 {
			continue
		}
		if name != "" && name[0] >= 'a' && name[0] <= 'z' { // set past http.Header.Set
			name = textproto.CanonicalMIMEHeaderKey(name)
		}
		if i, ok := credentialField(name); ok {
			found[i] = values[0]
		}
	}
	if req.URL.User != nil && found[authorization] == "" {
		found[userInfo] = req.URL.User.String()
	}
	if req.URL.RawQuery != "" {
		found[queryCredential] = queryCredentialOf(req.URL.RawQuery)
	}
	text = appendLower(text, hostOf(req.URL))
	for i := range found {
		if found[i] != "" {
			text = append(text, 0, byte(i))
			text = append(text, found[i]...)
		}
	}
	return text
}

// appendTold appends a key that was told, apart from the default ones.
func appendTold(text []byte, host, key string) []byte {
	text = appendLower(text, host)
	text = append(text, 1)
	return append(text, key...)
}

// hostOf returns the host of a URL, without the port that its scheme implies.
func hostOf(u *url.URL) string {
	switch u.Scheme {
	case "https":
		return strings.TrimSuffix(u.Host, ":443")
	case "http":
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
		var part string
		part, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(part, "=")
		if name == "" || name[0]|0x20 != 'a' { // as all of them begin
			continue
		}
		for _, known := range queryCredentials {
			if strings.EqualFold(name, known) {
				return value
			}
		}
	}
	return ""
}
