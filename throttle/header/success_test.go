package header

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRefusalBehindSuccess shows the places in which the body of a 200 says that the
// request was turned away.
func TestRefusalBehindSuccess(t *testing.T) {
	for _, body := range []string{
		`{"errors":[{"type":"RATE_LIMIT","message":"Rate limit exceeded"}]}`,
		`{"data":null,"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}`,
		`{"data":{"viewer":null},"errors":[{"message":"slow down","extensions":{"classification":"x","code":"TOO_MANY_REQUESTS"}}]}`,
		`{"errors":[{"message":"Complexity budget exhausted","extensions":{"code":"COMPLEXITY_BUDGET_EXHAUSTED","retry_in_seconds":15}}]}`,
		`{"error_code":"ComplexityException","error_message":"Complexity budget exhausted, reset in 15 seconds","status_code":429}`,
		`{"success":false,"errors":[{"code":"606","message":"Max rate limit '100' exceeded with in '20' secs"}]}`,
		`{"error":{"error_code":6,"error_msg":"Too many requests per second"}}`,
		`{"error":29,"message":"Rate limit exceeded"}`,
		`{"error":{"type":"Exception","message":"Quota limit exceeded","code":4}}`,
		`{"code":429,"message":"You have run out of API credits for the current minute.","status":"error"}`,
		`{"success":false,"error":{"code":104,"type":"usage_limit_reached","info":"Your monthly usage limit has been reached."}}`,
		`{"status":"0","info":"CUQPS_HAS_EXCEEDED_THE_LIMIT","infocode":"10021"}`,
		`{"errcode":45009,"errmsg":"reach max api daily quota limit"}`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"daily request count exceeded, request rate limited"}}`,
		`{"error":["EGeneral:Rate limit exceeded"]}`,
		`{"status":"0","message":"NOTOK","result":"Max calls per sec rate limit reached (5/sec)"}`,
		`{"Information":"Our standard API rate limit is 25 requests per day."}`,
		`{"error_message":"You have exceeded your daily request quota for this API.","results":[],"status":"OVER_DAILY_LIMIT"}`,
		`{"error":{"code":"ratelimited","info":"You've exceeded your rate limit. Please wait some time and try again."}}`,
		`{"error_response":{"code":7,"msg":"App Call Limited","sub_code":"accesscontrol.limited-by-app-access-count"}}`,
		`{"ok":false,"error":"ratelimited"}`,
		`{"code":"7","msg":"请求频率过高","data":null}`,     //nolint:gosmopolitan // servers write in their own language
		`{"code":302,"message":"超出速率限制","data":null}`, //nolint:gosmopolitan // servers write in their own language
		`{"code":303,"message":"每日配额已用完"}`,            //nolint:gosmopolitan // servers write in their own language
		`{"code":9,"message":"レート制限を超えました"}`,          //nolint:gosmopolitan // servers write in their own language
		`{"code":9,"message":"호출 한도를 초과했습니다"}`,
		`{"errcode":4002,"errmsg":"api freq out of limit"}`,
		`{"error_code":"54003","error_msg":"Invalid Access Limit"}`,
		`{"Error Message":"API calls quota exceeded"}`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"gas rate limit exceeded: node is at capacity"}}`,
		"response=3&responsetext=Rate+limit+exceeded&authcode=&response_code=301",
	} {
		var r Reading
		r.Read(http.StatusOK, headerOf(), []byte(body), benchNow)
		assert.True(t, r.Refused, body)
	}
	for _, body := range []string{
		// An answer, be it in part, be it about limits.
		`{"data":{"user":{"name":"x"},"repo":null},"errors":[{"type":"RATE_LIMITED","message":"rate limit exceeded"}]}`,
		`{"data":[{"id":1}],"error":{"code":"rate_limited"}}`,
		`{"message":"rate limit exceeded","level":"warn"}`,
		"response=1&responsetext=SUCCESS&response_code=100",
		"response=3&responsetext=Duplicate transaction&response_code=300",
		"text=rate limit exceeded",
		"https://x.example/?a=1&message=Rate limit exceeded&code=3",
		`{"status":"1","message":"OK","result":"Max rate limit reached"}`,
		`{"items":[{"code":"RATE_LIMITED","message":"too many requests"}]}`,
		`{"code":"rate_limit","label":"Rate limits"}`,
		`{"code":0,"msg":"success","error":"","text":"Too many requests"}`,
		`{"success":true,"message":"Too many requests were merged"}`,
		`{"Note":"Rate limit of 5 calls per minute","Time Series":{"2026":1}}`,
		`{"status":"OK","error_message":"","results":["too many requests"]}`,
		`{"error":{"code":"notfound","info":"no such page"}}`,
		`{"success":false,"errors":[{"code":"610","message":"Requested resource not found"}]}`,
		`{"code":20,"message":"文件大小超出限制"}`, //nolint:gosmopolitan // servers write in their own language
		`{"Error Message":"Invalid API call."}`,
		`[{"error":null}]`, `{}`, `"too many requests"`, ``,
	} {
		var r Reading
		r.Read(http.StatusOK, headerOf(), []byte(body), benchNow)
		assert.False(t, r.Refused, body)
	}
}

// slow is a body that counts what is read from it.
type slow struct {
	io.Reader
	read int
}

func (s *slow) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	s.read += n
	return n, err
}
func (s *slow) Close() error { return nil }

// TestBodyOfSuccess shows for which successes a body is looked at, and how much of it.
func TestBodyOfSuccess(t *testing.T) {
	const json = "application/json"
	long := `{"a":"` + strings.Repeat("x", 100<<10) + `"}`
	for _, tt := range []struct {
		name, host, method, path string
		fields                   []string
		body                     string
		length                   int64
		most                     int // of the body, 0 for nothing
	}{
		{"ordinary", "a.test", "GET", "/items", []string{"Content-Type", json}, "{}", 2, 0},
		{"a query", "a.test", "POST", "/graphql", []string{"Content-Type", json}, "{}", 2, 2},
		{"a query below a path", "a.test", "POST", "/admin/api/2026-01/graphql.json", []string{"Content-Type", json}, "{}", -1, 2},
		{"a query's page", "a.test", "POST", "/graphql", []string{"Content-Type", "text/html"}, "{}", 2, 0},
		{"a query's stream", "a.test", "POST", "/graphql", []string{"Content-Type", "multipart/mixed"}, "{}", -1, 0},
		{"a long answer", "a.test", "POST", "/graphql", []string{"Content-Type", json}, long, int64(len(long)), 0},
		{"an answer of unknown length", "a.test", "POST", "/graphql", []string{"Content-Type", json}, long, -1, maxBrief},
		{"a page for people", "a.test", "GET", "/graphql", []string{"Content-Type", json}, "{}", 2, 0},
		{"Retry-After", "a.test", "GET", "/", []string{"Content-Type", json, "Retry-After", "5"}, "{}", 2, 2},
		{"nothing left", "a.test", "GET", "/", []string{"Content-Type", json, "X-RateLimit-Remaining", "0"}, "{}", 2, 2},
		{"one left", "a.test", "GET", "/", []string{"Content-Type", json, "X-RateLimit-Remaining", "1"}, "{}", 2, 0},
		{"compressed", "a.test", "GET", "/", []string{"Content-Type", json, "Retry-After", "5", "Content-Encoding", "br"}, "{}", 2, 0},
		{"a host that is known for it", "api.kraken.com", "POST", "/0/private/Balance", []string{"Content-Type", json}, "{}", 2, 2},
		{"a long answer of it", "api.kraken.com", "GET", "/0/public/Trades", []string{"Content-Type", json}, long, -1, maxBrief},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rd, err := NewReader(tt.host)
			require.NoError(t, err)
			body := &slow{Reader: strings.NewReader(tt.body)}
			resp := &http.Response{StatusCode: 200, Header: headerOf(tt.fields...), Body: body, ContentLength: tt.length,
				Request: &http.Request{Method: tt.method, URL: &url.URL{Path: tt.path}}}
			got, _ := rd.Body(resp, time.Second)
			assert.Len(t, got, tt.most)
			assert.Equal(t, tt.most, body.read)
			all, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.True(t, bytes.Equal([]byte(tt.body), all), "the owner of the body gets all of it")
		})
	}
}
