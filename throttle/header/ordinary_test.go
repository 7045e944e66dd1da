package header

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// ordinary are names of response fields that have nothing to do with limits, also
// those that sound as if they had.
const ordinary = `Accept-Ch Accept-Ranges Access-Control-Allow-Credentials Access-Control-Allow-Headers Access-Control-Allow-Methods
Access-Control-Allow-Origin Access-Control-Expose-Headers Access-Control-Max-Age Alt-Svc Cache-Control Cdn-Cache-Control Cf-Ray
Clear-Site-Data Connection Content-Disposition Content-Encoding Content-Language Content-Length Content-Location Content-Range
Content-Security-Policy Content-Security-Policy-Report-Only Content-Type Cross-Origin-Embedder-Policy Cross-Origin-Opener-Policy
Cross-Origin-Resource-Policy Deprecation Etag Expect-Ct Expires Feature-Policy Grpc-Status Keep-Alive Last-Modified Link Location
Nel Origin-Agent-Cluster P3p Permissions-Policy Pragma Proxy-Authenticate Referrer-Policy Refresh Report-To Reporting-Endpoints
Sec-Websocket-Accept Server Server-Timing Set-Cookie Sourcemap Strict-Transport-Security Sunset Timing-Allow-Origin Tk Trailer
Transfer-Encoding Upgrade Vary Via Warning Www-Authenticate X-Accel-Buffering X-Amz-Cf-Id X-Amz-Request-Id X-Amzn-Trace-Id
X-Api-Version X-Aspnet-Version X-B3-Traceid X-Backend-Server X-Cache-Hits X-Cache-Lookup X-Content-Duration X-Content-Type-Options
X-Correlation-Id X-Current-Page X-Dns-Prefetch-Control X-Download-Options X-Envoy-Upstream-Service-Time X-Frame-Options
X-Generated-At X-Github-Media-Type X-Github-Request-Id X-Items-Per-Page X-Items-Total X-Max-Results X-Ms-Request-Id X-Ms-Version
X-Next-Page X-Oauth-Scopes X-Page X-Page-Count X-Page-Limit X-Page-Size X-Pagination-Count X-Pagination-Limit X-Per-Page
X-Permitted-Cross-Domain-Policies X-Powered-By X-Process-Time X-Prev-Page X-Redirect-By X-Redirect-Count X-Request-Count X-Request-Id
X-Request-Start X-Response-Time X-Results-Total X-Robots-Tag X-Runtime X-Served-By X-Session-Timeout X-Timer X-Timestamp X-Total
X-Total-Count X-Total-Pages X-Trace-Id X-Transaction-Id X-Ua-Compatible X-Upload-Limit X-User-Id X-Varnish X-Version
X-Xss-Protection X-Xsrf-Token X-Used-Memory X-Disk-Usage X-Storage-Quota X-Token-Expires X-Token-Count X-Usage X-Left X-Reset
X-Remaining X-Limit X-Quota X-Retry X-Retries-Left X-Attempts-Remaining X-Password-Reset X-Records-Remaining X-Content-Length-Limit
X-Session-Expires-In X-Order-Count X-Duration X-Interval X-Window X-Period X-Policy X-Scope X-Delay X-Cost
X-Valid-Until X-Request-End X-Ends-At X-Backoff-Strategy X-Retry-Attempt X-Cache-Hits X-Year X-Per X-Token-Usage-Total X-Locked-By X-Spent`

func TestOrdinaryFields(t *testing.T) {
	for name := range strings.FieldsSeq(ordinary) {
		var r Reading
		r.Read(http.StatusOK, http.Header{name: {"0"}}, nil, benchNow)
		assert.Empty(t, r.Windows, name)
		r.Read(http.StatusForbidden, http.Header{name: {"0"}}, nil, benchNow)
		assert.False(t, r.Refused, name)
	}
}
