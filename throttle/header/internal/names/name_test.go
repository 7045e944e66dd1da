package names

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var roleNames = map[Role]string{RoleNone: "none", RoleLimit: "limit", RoleRemaining: "remaining", RoleUsed: "used", RoleReset: "reset",
	RoleLength: "length", RolePolicy: "policy", RoleStem: "bare", RolePair: "pair", RoleRetry: "retry", RoleBackoff: "backoff",
	RoleDelay: "delay", RoleName: "name", RoleScope: "scope", RoleKind: "kind", RolePacked: "packed"}

// TestClassify shows the grammar of names: role, family, window, and what else
// the name tells.
func TestClassify(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"X-RateLimit-Limit", "limit x-ratelimit"},
		{"x-ratelimit-limit", "limit x-ratelimit"},
		{"X-Rate-Limit-Limit", "limit x-rate-limit"},
		{"RateLimit-Remaining", "remaining ratelimit"},
		{"X-RateLimitRemaining", "remaining x-ratelimit"},
		{"X-RateLimit-Limit-Remaining", "remaining x-ratelimit"},
		{"X-RateLimit-Remain", "remaining x-ratelimit"},
		{"X-Rate-Limit-Requests-Left", "remaining x-rate-limit/requests unit=requests"},
		{"RateLimit-Observed", "used ratelimit"},
		{"X-RateLimit-Burst-Capacity", "limit x-ratelimit unit=tokens"},
		{"X-HubSpot-RateLimit-Daily", "bare x-hubspot-ratelimit/daily len=24h0m0s"},
		{"X-RateLimit-Limit-Minute", "limit x-ratelimit/minute len=1m0s"},
		{"X-RateLimit-Minute-Limit", "limit x-ratelimit/minute len=1m0s"},
		{"Jumpseller-PerMinuteRateLimit-Limit", "limit jumpseller-per-minute-ratelimit/minute len=1m0s"},
		{"RateLimit-ResourceDailyLimit", "limit ratelimit/resource-daily len=24h0m0s"},
		{"X-AppMinLimit-Remaining", "remaining ~/app-min len=1m0s"},
		{"X-App-Limit-24hour-Limit", "limit ~/app-24hour len=24h0m0s"},
		{"X-RateLimit-Remaining-1s", "remaining x-ratelimit/1s len=1s"},
		{"X-MBX-USED-WEIGHT-1M", "used x-mbx/weight-1m len=1m0s unit=weight"},
		{"anthropic-ratelimit-unified-5h-utilization", "used anthropic-ratelimit/unified-5h len=5h0m0s unit=fraction full=1"},
		{"x-codex-primary-used-percent", "used x-codex/primary unit=percent full=100"},
		{"x-codex-primary-window-minutes", "length x-codex/primary step=1m0s"},
		{"x-ratelimit-reset-requests-day", "reset x-ratelimit/requests-day len=24h0m0s unit=requests"},
		{"X-Rate-Limit-Time-Reset-Ms", "reset x-rate-limit step=1ms"},
		{"X-RateLimit-Reset-After", "reset x-ratelimit step=1s"},
		{"RateLimit-ResetTime", "reset ratelimit"},
		{"X-Toggl-Quota-Resets-In", "reset ~/toggl-quota step=1s"},
		{"X-Rate-Limit-Remaining-Seconds", "reset x-rate-limit step=1s"},
		{"x-ratelimit-timeremaining", "retry"},
		{"X-RateLimit-Next", "retry"},
		{"HTTP_X_RATELIMIT_ACCOUNT_SUCCESS_RESET", "reset http-x-ratelimit/account-success"},
		{"X-RateLimit-Limit-tokens-cache-adjusted-prompt", "limit x-ratelimit/tokens-cache-adjusted-prompt unit=tokens"},
		{"x-ratelimit-renewalperiod-requests", "length x-ratelimit/requests unit=requests"},
		{"X-RateLimit-Limit-Quota-Month", "limit x-ratelimit/quota-month len=720h0m0s"},
		{"X-Limit-Per-Day", "limit ~/day len=24h0m0s"},
		{"X-Remaining-Today", "remaining ~/day len=24h0m0s"},
		{"X-ReadRateLimit-Usage", "used x-read-ratelimit label=read"},
		{"Retry-After", "retry"},
		{"Retry-After-short", "retry"},
		{"retry-after-ms", "retry step=1ms"},
		{"x-ms-retry-after-ms", "retry step=1ms"},
		{"X-Retry-In", "retry"},
		{"X-Rate-Limit-Retry-After-Seconds", "retry step=1s"},
		{"RateLimit", "bare ratelimit"},
		{"Beta-RateLimit-Policy", "policy beta-ratelimit"},
		{"X-RateLimit-Resource", "name x-ratelimit"},
		{"RateLimit-Scope", "scope ratelimit"},
		{"X-RateLimit-Type", "kind x-ratelimit"},
		{"X-Recharge-Limit", "pair ~/recharge"},
		{"maximum-concurrent-requests", "limit ~/concurrent-requests unit=concurrent-requests"},
		{"zendesk-ratelimit-tickets-index", "bare zendesk-ratelimit/tickets-index strict"},

		{"Content-Type", "none"}, {"X-Total-Count", "none"}, {"X-RateLimit-Docs", "none"},
		{"X-Rate-Limit-Request-Remote-Addr", "none"}, {"X-RateLimit-FillRate", "none"}, {"X-RateLimit-NearLimit", "none"},
		{"x-requests-last", "none"}, {"x-should-retry", "none"}, {"x-codex-rate-limit-reached-type", "none"},
		{"X-Page-Limit", "none"}, {"X-Upload-Limit-Bytes", "none"}, {"x-ratelimit-used-currentrequest", "none"},
		{"anthropic-ratelimit-unified-status", "none"}, {"x-envoy-ratelimited", "none"}, {"X-Retry-Count", "none"}, {"", "none"},
		{"X-RateLimit-" + strings.Repeat("a", MaxName), "none"},
	} {
		f := Classify(tt.name)
		got := roleNames[f.Role]
		if f.Family != "" {
			got += " " + f.Family
		}
		if f.Key != "" {
			got += "/" + f.Key
		}
		if f.Label != f.Key {
			got += " label=" + f.Label
		}
		if f.Length > 0 {
			got += fmt.Sprintf(" len=%v", f.Length)
		}
		if f.Unit != "" {
			got += " unit=" + f.Unit
		}
		if f.Step > 0 {
			got += fmt.Sprintf(" step=%v", f.Step)
		}
		if f.Full > 0 {
			got += fmt.Sprintf(" full=%v", f.Full)
		}
		if f.Strict {
			got += " strict"
		}
		assert.Equal(t, tt.want, got, tt.name)
	}
}

func TestUnglue(t *testing.T) {
	for part, want := range map[string]string{
		"ratelimitremaining":        "ratelimit remaining",
		"resourcedailylimit":        "resource daily limit",
		"crosstokenconcurrentlimit": "cross token concurrent limit",
		"resettime":                 "reset time",
		"zendesk":                   "zendesk",
		"limitless":                 "limitless",
		"prompt":                    "prompt",
		"acmerequestsremaining":     "acme requests remaining",
		"acmequotalimit":            "acme quota limit",
		"unlimitedrequests":         "unlimitedrequests",
		strings.Repeat("limit", 20): strings.Repeat("limit", 20),
	} {
		assert.Equal(t, want, strings.Join(unglue(part, nil), " "))
	}
}

// A name means the same when it was seen before, and when it was forgotten.
func TestMemo(t *testing.T) {
	name := "X-RateLimit-Remaining-Minute"
	want := Classify(name)
	for i := range 10_000 {
		Of(fmt.Sprintf("X-RateLimit-Limit-W%d", i))
		if i%1000 == 0 {
			assert.Equal(t, want, Of(name))
			assert.Same(t, Of(name), Of(name))
		}
	}
	assert.Equal(t, RoleNone, Of("Content-Type").Role)
	assert.Equal(t, noField, Of(strings.Repeat("RateLimit-", 20)))
}

// TestUnits shows what names say that a window counts.
func TestUnits(t *testing.T) {
	for name, want := range map[string]string{
		"X-RateLimit-Remaining-Objects":       "objects",
		"X-RateLimit-Limit-Bytes-Per-Minute":  "bytes",
		"X-RateLimit-Remaining-Pages":         "pages",
		"X-RateLimit-Remaining-Chars":         "characters",
		"X-RateLimit-Remaining-Images":        "images",
		"X-RateLimit-Remaining-TPM":           "tokens",
		"X-RateLimit-Limit-RPM":               "requests",
		"X-RateLimit-Limit-Input-Tokens":      "tokens",
		"X-RateLimit-Remaining-Audio-Seconds": "audio-seconds",
		"X-RateLimit-Limit-Audio-Seconds":     "audio-seconds",
		"X-RateLimit-Remaining-Cost":          "cost",
		"X-RateLimit-Limit-Cost":              "cost",
		"X-Credits-Remaining":                 "credits",
		"X-Quota-Characters-Remaining":        "characters",
		"X-RateLimit-Users-Remaining":         "",
		"X-RateLimit-Uploads-Remaining":       "",
		"X-RateLimit-Remaining-Minute":        "",
	} {
		f := Classify(name)
		assert.NotEqual(t, RoleNone, f.Role, name)
		assert.NotEqual(t, RoleReset, f.Role, name)
		assert.Equal(t, want, f.Unit, name)
	}
	// A cost alone is that of one request, and time that remains is a reset.
	assert.Equal(t, RoleCost, Classify("X-RateLimit-Cost").Role)
	assert.Equal(t, RoleCost, Classify("X-RateLimit-Request-Cost").Role)
	assert.Equal(t, RoleCost, Classify("X-Request-Cost").Role)
	assert.Equal(t, RoleReset, Classify("X-RateLimit-Remaining-Seconds").Role)
}

// TestPeriodsInParts shows that a number and its unit are one period.
func TestPeriodsInParts(t *testing.T) {
	for name, want := range map[string]time.Duration{
		"X-24-Hour-Requests-Left":          24 * time.Hour,
		"X-Rate-Limit-24-Hour":             24 * time.Hour,
		"X-RateLimit-Remaining-5-Minutes":  5 * time.Minute,
		"X-RateLimit-Limit-Five-Minutes":   5 * time.Minute,
		"X-RateLimit-Remaining-Ten-Second": 10 * time.Second,
		"X-RateLimit-Remaining-Hour":       time.Hour,
		"X-RateLimit-99999999999999-Hour":  0,
	} {
		f := Classify(name)
		assert.NotEqual(t, RoleReset, f.Role, name)
		assert.LessOrEqual(t, (f.Length - want).Abs(), time.Duration(0), "%s: %v", name, f.Length)
	}
	assert.Equal(t, RoleUsed, Classify("X-Requests-Made").Role)
	assert.Equal(t, RoleNone, Classify("X-Made-By").Role)
}
