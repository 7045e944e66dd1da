package credentials

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Names tell what holds a credential, in every spelling, and what only sounds like it.
func TestCredentialNames(t *testing.T) {
	for _, tt := range []struct {
		want   class
		fields string
	}{
		{strong, `Authorization X-Authorization Api-Key Apikey X-Api-Key X-ApiKey X-API-KEY x-api-key X-Auth-Token X-Access-Token
			X-Connector-Token X-Goog-Api-Key X-Rapidapi-Key Private-Token Job-Token X-Shopify-Access-Token X-Auth-Key Ocp-Apim-Subscription-Key
			X-Riot-Token X-Mbx-Apikey X-MBX-APIKEY Dd-Api-Key DD-APPLICATION-KEY X-Figma-Token X-Subscription-Token X-Vault-Token X-Api-Token
			Circle-Token X-Plex-Token X-CMC_PRO_API_KEY X-Els-Apikey Hibp-Api-Key X-Tba-Auth-Key Xi-Api-Key X-Tableau-Auth X-Postmark-Server-Token
			Fastly-Key Ok-Access-Key Ok-Access-Passphrase Cf-Access-Client-Secret X-Client-Secret X-Password X-Credential X-User-Credentials
			Bhresttoken X-Accesstoken X-Secretkey Token Key X-Jwt X-Wsse X-Amz-Security-Token Developer-Token`},
		{weak, `Client-Id X-Client-Id X-Algolia-Application-Id X-App-Id X-Session-Id Session Vmware-Api-Session-Id`},
		{public, `Idempotency-Key X-Idempotency-Key Idempotency-Token Sec-Websocket-Key Cache-Key X-Cache-Key Surrogate-Key X-Partition-Key
			X-Sort-Key X-Routing-Key X-Shard-Key X-Csrf-Token X-Xsrf-Token X-Csrftoken Next-Token X-Next-Page-Token X-Continuation-Token
			X-Sync-Token Lock-Token X-Upload-Token Proxy-Authorization X-Auth-Signature X-Auth-Timestamp X-Auth-Nonce X-Token-Type
			X-Amz-Server-Side-Encryption-Customer-Key X-Amz-Date X-Request-Id X-Tenant-Id X-Account-Id Accept User-Agent Content-Type Cookie
			Monkey-Business X-Inside X-Bypass Date Etag If-None-Match Traceparent X-Dedup-Key X-Request-Key`},
	} {
		for name := range strings.FieldsSeq(tt.fields) {
			assert.Equal(t, tt.want, classOf(name), name)
		}
	}
	for _, tt := range []struct {
		want   class
		fields string
	}{
		{strong, `api_key apikey api-key apiKey API_KEY APIKey x-api-key access_token accessToken auth_token authToken subscription-key
			consumer_key oauth_token oauth_consumer_key client_secret clientSecret password secret app_key appkey userKey user_token
			private_token X-Amz-Credential X-Goog-Credential AWSAccessKeyId GoogleAccessId hapikey serviceKey OSSAccessKeyId access_key_id Key-Pair-Id jwt`},
		{weak, `key token auth sid session_id sessionId appid app_id client_id clientId plex_token crtfc_key wskey project_key projectKey issue_key`},
		{public, `page_token pageToken nextToken next_token continuation_token continuationToken cursor sync_token syncToken start_token
			startKey endkey start_key sort_key file_key cache_key partitionKey csrf_token
			client_request_token last_key exclusiveStartKey tokens token_type tokenId keys keyword keywords id user_id page limit signature
			X-Amz-Signature X-Amz-Date X-Amz-Expires nonce timestamp oauth_nonce oauth_signature q`},
	} {
		for name := range strings.FieldsSeq(tt.fields) {
			assert.Equal(t, tt.want, classOfParameter(name), name)
		}
	}
}

// identityOf returns who spends by a request.
func identityOf(t *testing.T, address string, fields ...string) (identity string, sum uint64) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	for i := 0; i < len(fields); i += 2 {
		req.Header.Add(fields[i], fields[i+1])
	}
	s := Spender{URL: req.URL}
	s.Look(req)
	return s.Identity(), s.Sum()
}

// Of each scheme that signs requests counts who signs, and nothing that is different with
// each of them.
func TestSignedRequests(t *testing.T) {
	const url = "https://api.test/items"
	sums := []string{strings.Repeat("0a", 32), strings.Repeat("f9", 32)}
	base64 := []string{"frJIUN8DYpKDtOLCwo//yllqDzg=", "aGVsbG8sIHdvcmxkISBoZWxsbyE="}
	times := []string{"1767225600", "1767225731"}
	for name, scheme := range map[string]string{
		"AWS Signature 4":        `AWS4-HMAC-SHA256 Credential=WHO/20260101/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=SUM`,
		"AWS Signature 4A":       `AWS4-ECDSA-P256-SHA256 Credential=WHO/20260101/execute-api/aws4_request, SignedHeaders=host, Signature=SUM`,
		"AWS Signature 2":        `AWS WHO:BASE64`,
		"Google":                 `GOOG4-RSA-SHA256 Credential=WHO@project.iam.gserviceaccount.com/TIME/auto/storage/goog4_request, SignedHeaders=host, Signature=SUM`,
		"Alibaba":                `ACS3-HMAC-SHA256 Credential=WHO,SignedHeaders=host;x-acs-date,Signature=SUM`,
		"Tencent":                `TC3-HMAC-SHA256 Credential=WHO/2026-01-01/cvm/tc3_request, SignedHeaders=content-type;host, Signature=SUM`,
		"OAuth 1":                `OAuth realm="x", oauth_consumer_key="app", oauth_token="WHO", oauth_signature_method="HMAC-SHA1", oauth_timestamp="TIME", oauth_nonce="SUM", oauth_version="1.0", oauth_signature="BASE64"`,
		"OAuth 1, no token":      `OAuth oauth_nonce="SUM",oauth_timestamp="TIME",oauth_consumer_key="WHO",oauth_signature="BASE64"`,
		"Digest":                 `Digest username="WHO", realm="r", nonce="SUM", uri="/items?page=TIME", qop=auth, nc=00000001, cnonce="TIME", response="SUM", opaque="TIME", algorithm=MD5`,
		"Hawk":                   `Hawk id="WHO", ts="TIME", nonce="SUM", ext="some", mac="BASE64"`,
		"MAC":                    `MAC id="WHO", ts="TIME", nonce="SUM", mac="BASE64"`,
		"Azure storage":          `SharedKey WHO:BASE64`,
		"Azure storage, lite":    `SharedKeyLite WHO:BASE64`,
		"Azure configuration":    `HMAC-SHA256 Credential=WHO&SignedHeaders=x-ms-date;host&Signature=BASE64`,
		"Azure service bus":      `SharedAccessSignature sr=https%3A%2F%2Fapi.test%2Fq&sig=BASE64&se=TIME&skn=WHO`,
		"Azure device":           `SharedAccessSignature sr=WHO&sig=BASE64&se=TIME`,
		"HTTP signatures, draft": `Signature keyId="WHO",algorithm="hs2019",created=TIME,headers="(request-target) date",signature="BASE64"`,
		"Akamai":                 `EG1-HMAC-SHA256 client_token=c;access_token=WHO;timestamp=TIME;nonce=SUM;signature=BASE64`,
		"Veracode":               `VERACODE-HMAC-SHA-256 id=WHO,ts=TIME,nonce=SUM,sig=SUM`,
		"API auth":               `APIAuth-HMAC-SHA256 WHO:BASE64`,
		"some HMAC":              `hmac WHO:SUM`,
		"unknown, id and sum":    `Acme WHO-1:BASE64`,
		"unknown, by parameter":  `Acme client="WHO", when="x", nonce="SUM", signed-at="TIME", hmac="BASE64"`,
	} {
		made := func(who string, i int) string {
			return strings.NewReplacer("WHO", who, "SUM", sums[i], "BASE64", base64[i], "TIME", times[i]).Replace(scheme)
		}
		first, sum := identityOf(t, url, "Authorization", made("AKIDEXAMPLE", 0))
		second, again := identityOf(t, url, "Authorization", made("AKIDEXAMPLE", 1))
		assert.Equal(t, first, second, name)
		assert.Equal(t, sum, again, name)
		other, another := identityOf(t, url, "Authorization", made("AKIDOTHER", 0))
		assert.NotEqual(t, first, other, name)
		assert.NotEqual(t, sum, another, name)
	}
	same := func(name, a, b string, fields ...string) {
		first, sum := identityOf(t, a, fields...)
		second, again := identityOf(t, b, fields...)
		assert.Equal(t, first, second, name)
		assert.Equal(t, sum, again, name)
	}
	apart := func(name, a, b string) {
		first, _ := identityOf(t, a)
		second, _ := identityOf(t, b)
		assert.NotEqual(t, first, second, name)
	}
	same("presigned", url+"?X-Amz-Credential=AKID%2F20260101%2Feu%2Fs3&X-Amz-Date=1&X-Amz-Signature=ab", url+"?X-Amz-Signature=cd&X-Amz-Credential=AKID%2F20260102%2Feu%2Fs3&X-Amz-Date=2")
	apart("presigned", url+"?X-Amz-Credential=AKID%2F20260101&X-Amz-Signature=ab", url+"?X-Amz-Credential=AKIE%2F20260101&X-Amz-Signature=ab")
	same("OAuth 1 in the query", url+"?oauth_consumer_key=c&oauth_token=t&oauth_nonce=1&oauth_timestamp=1&oauth_signature=a", url+"?oauth_consumer_key=c&oauth_nonce=2&oauth_signature=b&oauth_token=t&oauth_timestamp=2")
	apart("OAuth 1 in the query", url+"?oauth_consumer_key=c&oauth_token=t&oauth_nonce=1", url+"?oauth_consumer_key=c&oauth_token=u&oauth_nonce=1")
	byField := func(value string) string {
		identity, _ := identityOf(t, url, "Signature-Input", value, "Signature", "sig1=:"+value+":")
		return identity
	}
	assert.Equal(t, byField(`sig1=("@method" "@path");created=1767225600;keyid="one"`), byField(`sig1=("@method" "@path");created=1767225999;keyid="one"`))
	assert.NotEqual(t, byField(`sig1=("@method");created=1767225600;keyid="one"`), byField(`sig1=("@method");created=1767225600;keyid="two"`))
}

// Values that sign nothing count whole.
func TestUnsignedAuthorizations(t *testing.T) {
	seen := make(map[string]string)
	for _, value := range []string{
		"Bearer a", "Bearer b", "Bearer a:b", "Bearer a:c", "Basic YTpi", "Basic YTpj", "Token a", "Token b", `Token token="a"`, `Token token="b"`,
		"ApiKey sk:live:a", "ApiKey sk:live:b", "SSWS a", "a", "b", "a:b", "a:c", "OAuth y0_a", "OAuth y0_b", "Key abc==", "Key abd==", "bearer  x",
	} {
		identity, _ := identityOf(t, "https://api.test/", "Authorization", value)
		assert.Empty(t, seen[identity], value)
		seen[identity] = value
	}
	// Each request has a ticket of its own, and says nothing of who has it.
	one, _ := identityOf(t, "https://api.test/", "Authorization", "Negotiate YIIabc")
	two, _ := identityOf(t, "https://api.test/", "Authorization", "Negotiate YIIxyz")
	assert.Equal(t, one, two)
}

// A session counts where nothing else does, and other cookies never do.
func TestSessions(t *testing.T) {
	const url = "https://api.test/"
	identity := func(address string, fields ...string) string {
		s, _ := identityOf(t, address, fields...)
		return s
	}
	assert.NotEqual(t, identity(url, "Cookie", "theme=dark; sessionid=a"), identity(url, "Cookie", "theme=dark; sessionid=b"))
	assert.NotEqual(t, identity(url, "Cookie", "a"), identity(url, "Cookie", "b"))
	for _, name := range []string{"JSESSIONID", "PHPSESSID", "ASP.NET_SessionId", "connect.sid", "_app_session", "auth_token", "SID"} {
		assert.NotEqual(t, identity(url, "Cookie", name+"=a"), identity(url, "Cookie", name+"=b"), name)
	}
	for _, name := range []string{"theme", "_ga", "__cf_bm", "AWSALB", "XSRF-TOKEN", "csrftoken"} {
		assert.Equal(t, identity(url, "Cookie", name+"=a"), identity(url, "Cookie", name+"=b"), name)
	}
	assert.Equal(t, identity(url, "Cookie", "sessionid=a", "X-Api-Key", "k"), identity(url, "Cookie", "sessionid=b", "X-Api-Key", "k"))
	assert.Equal(t, identity(url+"?key=a", "Authorization", "Bearer k"), identity(url+"?key=b", "Authorization", "Bearer k"), "a thing of the caller's")
	assert.NotEqual(t, identity(url+"?api_key=a", "Authorization", "Bearer k"), identity(url+"?api_key=b", "Authorization", "Bearer k"))
	assert.Equal(t, identity(url+"?app_id=a&app_key=k"), identity(url+"?app_key=k&app_id=b"))
	assert.NotEqual(t, identity(url+"?appid=a"), identity(url+"?appid=b"))
}

// Whatever a request looks like, the sum and the identity agree on what is the same, and
// nobody panics.
func FuzzCredentials(f *testing.F) {
	f.Add("X-Api-Key", "a", "Hawk id=\"x\", mac=\"y\"", "api_key=1&token=2", "sid=3; a")
	f.Add("x", "", "OAuth oauth_token=\"", "=&&=;", ";;=")
	f.Fuzz(func(t *testing.T, name, value, authorization, query, cookie string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.test/", nil)
		require.NoError(t, err)
		req.URL.RawQuery = query
		req.Header = http.Header{name: {value}, "Authorization": {authorization}, "Cookie": {cookie}}
		var identities, sums [2]any
		for i := range identities {
			s := Spender{URL: req.URL}
			s.Look(req)
			identities[i], sums[i] = s.Identity(), s.Sum()
		}
		require.Equal(t, identities[0], identities[1])
		require.Equal(t, sums[0], sums[1])
	})
}
