package header

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// brief writes a window as name limit/remaining/used @reset len=length unit scope,
// with a dash for what is not known.
func brief(w Window) string {
	var b strings.Builder
	b.WriteString(w.Name)
	for _, c := range []Count{w.Limit, w.Remaining, w.Used} {
		b.WriteByte(' ')
		switch c.State {
		case Known:
			b.WriteString(trimZero(c.Value))
		case Unlimited:
			b.WriteByte('*')
		case Malformed:
			b.WriteByte('?')
		default:
			b.WriteByte('-')
		}
	}
	if w.Reset.Known() {
		at := w.Reset.In.String()
		if !w.Reset.At.IsZero() {
			at = w.Reset.At.Format(time.RFC3339Nano)
		}
		b.WriteString(" @" + at)
	}
	if w.Length > 0 {
		b.WriteString(" len=" + w.Length.String())
	}
	if w.Unit != "" {
		b.WriteString(" unit=" + w.Unit)
	}
	if w.Scope != "" {
		b.WriteString(" scope=" + w.Scope)
	}
	return b.String()
}

// windowsOf reads a response whose header has these lines.
func windowsOf(status int, lines string) []string {
	h := http.Header{}
	for line := range strings.SplitSeq(lines, "\n") {
		name, value, _ := strings.Cut(line, ":")
		if strings.HasPrefix(name, "x-") {
			h[name] = append(h[name], strings.TrimSpace(value)) // not canonical on purpose
			continue
		}
		h.Add(name, strings.TrimSpace(value))
	}
	var r Reading
	r.Read(status, h, nil, benchNow)
	var got []string
	for _, w := range r.Windows {
		got = append(got, brief(w))
	}
	return got
}

func trimZero(v float64) string {
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// TestShapes holds notations that the corpus has no response for, or that show
// one rule alone. Lines are header fields; the answers come in order.
func TestShapes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		lines  string
		want   []string
	}{
		{"bare vendor stem is the limit", 200, "X-Discogs-Ratelimit: 60\nX-Discogs-Ratelimit-Used: 1\nX-Discogs-Ratelimit-Remaining: 59",
			[]string{"default 60 59 1"}},
		{"status behind limit is the rest", 200, "X-Bapi-Limit: 100\nX-Bapi-Limit-Status: 99\nX-Bapi-Limit-Reset-Timestamp: 1772366460123",
			[]string{"default 100 99 - @2026-03-01T12:01:00.123Z"}},
		{"milliseconds by name", 200, "gw-ratelimit-limit: 500\ngw-ratelimit-remaining: 300\ngw-ratelimit-reset: 1489",
			[]string{"default 500 300 - @1.489s"}},
		{"rests by period", 200, "Remaining-Req: group=default; min=1800; sec=29",
			[]string{"req-sec - 29 - len=1s unit=requests", "req-min - 1800 - len=1m0s unit=requests"}},
		{"cost, rest, limit", 200, "Units: 10/20828/64000", []string{"default 64000 20828 - unit=units"}},
		{"rule and number", 200, "X-RateLimit-Limit: name=rate-1,100;\nX-RateLimit-Remaining: name=rate-1,34;",
			[]string{"rate-1 100 34 -"}},
		{"two rules and numbers", 200, "X-RateLimit-Limit: name=a,100;name=b,7;\nX-RateLimit-Remaining: name=a,34;name=b,5;",
			[]string{"a 100 34 -", "b 7 5 -"}},
		{"JSON", 200, `X-Ratelimit: {"name":"UNAUTHED_API_GET_LIMIT","period":300,"limit":1000,"remaining":999,"until":"2026-03-01T12:05:00Z"}`,
			[]string{"UNAUTHED_API_GET_LIMIT 1000 999 - @2026-03-01T12:05:00Z len=5m0s"}},
		{"query string in percent", 200, "X-Quota-Snapshot-Chat: ent=300&ov=0.0&ovPerm=false&rem=66.5&rst=2026-03-02T00%3A00%3A00Z",
			[]string{"chat 100 66.5 - @2026-03-02T00:00:00Z unit=percent"}},
		{"named rests", 200, "X-Ms-Ratelimit-Remaining-Resource: Microsoft.Compute/GetVM3Min;239,Microsoft.Compute/GetVM30Min;1199",
			[]string{"Microsoft.Compute/GetVM30Min - 1199 -", "Microsoft.Compute/GetVM3Min - 239 -"}},
		{"rest with its scope", 200, "X-Ms-Ratelimit-Remaining-Subscription-Reads: 11999", []string{"subscription-reads - 11999 - unit=reads"}},
		{"scopes in words", 200, "X-Rate-Limit: token:ABC 45/2000 reset=600s, key:DEF 45/48000 reset=1200s",
			[]string{"key 48000 47955 45 @20m0s", "token 2000 1955 45 @10m0s"}},
		{"keys with colons", 200, "X-RateLimit: Limit:100;Remaining:99;ResetTime:30", []string{"default 100 99 - @30s"}},
		{"shares with an application", 200, "Sforce-Limit-Info: api-usage=25/5000, per-app-api-usage=17/250(appName=sample)",
			[]string{"api-usage 5000 4975 25", "per-app-api-usage 250 233 17"}},
		{"user and client", 200, "X-RateLimit-UserLimit: 2500\nX-RateLimit-UserRemaining: 2400\nX-RateLimit-UserReset: 1772366460\n" +
			"X-RateLimit-ClientLimit: 12500\nX-RateLimit-ClientRemaining: 11000",
			[]string{"client 12500 11000 -", "user 2500 2400 - @2026-03-01T12:01:00Z"}},
		{"Meta's ad account", 200, `X-Ad-Account-Usage: {"acc_id_util_pct":9.67,"reset_time_duration":100,"ads_api_access_tier":"standard_access"}`,
			[]string{"ad-account 100 90.33 9.67 @1m40s unit=percent"}},
		{"by size and by number", 200, "X-RateLimit-Limit-Req-Minute: 6\nX-RateLimit-Remaining-Req-Minute: 5\n" +
			"X-RateLimitBySize-Limit-Minute: 500000\nX-RateLimitBySize-Remaining-Minute: 499968\nRateLimitBySize-Query-Cost: 32",
			[]string{"req-minute 6 5 - len=1m0s unit=requests", "size-minute 500000 499968 - len=1m0s"}},
		{"thousands", 200, "X-Ms-Ratelimit-Time-Remaining-Xrm-Requests: 1,200.00\nX-Ms-Ratelimit-Burst-Remaining-Xrm-Requests: 5999",
			[]string{"burst-xrm-requests - 5999 - unit=requests", "time-xrm-requests - 1200 - unit=seconds"}},
		{"limit with its period", 200, "X-RateLimit-Limit: 100/hour\nX-RateLimit-Remaining: 9", []string{"default 100 9 - len=1h0m0s"}},
		{"limit with its duration", 200, "X-RateLimit-Limit: 10/1m", []string{"default 10 - - len=1m0s"}},
		{"used of limit", 200, "X-Shopify-Shop-Api-Call-Limit: 32/40", []string{"shopify-shop-api-call 40 8 32 unit=calls"}},
		{"concurrency beside requests", 200, "X-Sentry-Rate-Limit-Limit: 40\nX-Sentry-Rate-Limit-Remaining: 39\nX-Sentry-Rate-Limit-Reset: 1772366401\n" +
			"X-Sentry-Rate-Limit-ConcurrentLimit: 25\nX-Sentry-Rate-Limit-ConcurrentRemaining: 24",
			[]string{"concurrent 25 24 - unit=concurrent-requests", "default 40 39 - @2026-03-01T12:00:01Z"}},
		{"generic fields repeat a suffixed window", 200, "RateLimit-Limit: 60\nRateLimit-Remaining: 59\nRateLimit-Reset: 17\n" +
			"X-RateLimit-Limit-Minute: 60\nX-RateLimit-Remaining-Minute: 59\nX-RateLimit-Limit-Hour: 1000\nX-RateLimit-Remaining-Hour: 940",
			[]string{"minute 60 59 - @17s len=1m0s", "hour 1000 940 - len=1h0m0s"}},
		{"generic fields differ from the suffixed", 200, "RateLimit-Limit: 30\nRateLimit-Remaining: 3\nRateLimit-Reset: 17\n" +
			"X-RateLimit-Limit-Minute: 60\nX-RateLimit-Remaining-Minute: 59",
			[]string{"default 30 3 - @17s", "minute 60 59 - len=1m0s"}},
		{"two unnamed limiters", 200, "X-RateLimit-Limit: 100\nX-RateLimit-Remaining: 50\nRateLimit-Limit: 7\nRateLimit-Remaining: 5",
			[]string{"default 7 5 -", "default#2 100 50 -"}},
		{"the same line twice", 200, "X-RateLimit-Limit: 100\nX-RateLimit-Limit: 100\nX-RateLimit-Remaining: 50\nX-RateLimit-Remaining: 50",
			[]string{"default 100 50 -"}},
		{"two spellings of one name", 200, "X-RateLimit-Limit: 100\nx-ratelimit-limit: 90\nX-RateLimit-Remaining: 50",
			[]string{"default 90 50 -"}},
		{"policies of several keys", 200, `RateLimit: "p";r=5;t=9;pk=:YQ==:, "p";r=3;t=9;pk=:Yg==:` + "\n" + `RateLimit-Policy: "p";q=10;w=60`,
			[]string{"p 10 5 - @9s len=1m0s scope=YQ==", "p 10 3 - @9s len=1m0s scope=Yg=="}},
		{"policy without a window", 200, `RateLimit-Policy: "con";q=10;qu="concurrent-requests"` + "\n" + `RateLimit: "con";r=4`,
			[]string{"con 10 4 - unit=concurrent-requests"}},
		{"names that do not match", 200, `RateLimit: "a";r=1;t=5` + "\n" + `RateLimit-Policy: "b";q=10;w=60`,
			[]string{"a - 1 - @5s", "b 10 - - len=1m0s"}},
		{"two policies of one quota", 200, "X-RateLimit-Limit: 10, 10\nX-RateLimit-Remaining: 3, 5\nX-RateLimit-Reset: 1, 1\n" +
			"X-RateLimit-Policy: 10;w=60, 10;w=1", []string{"10;w=1 10 3 - @1s len=1s", "10;w=60 10 5 - @1s len=1m0s"}},
		{"one bad member", 200, `RateLimit: "a";r=x, "b";r=1`, []string{"b - 1 -"}},
		{"a comma and a semicolon in quotes", 200, `RateLimit: "a,b;c";r=1;t=2`, []string{"a,b;c - 1 - @2s"}},
		{"window with its own word", 200, "X-RateLimit-Limit: 100, 100;window=60\nX-RateLimit-Remaining: 99", []string{"default 100 99 - len=1m0s"}},
		{"trailing semicolon, unit in the window", 200, "RateLimit-Policy: 100;w=60s;\nRateLimit-Limit: 100", []string{"default 100 - - len=1m0s"}},
		{"milliseconds told by the window", 200, "X-RateLimit-Limit: 60\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 42000\nX-RateLimit-Window: 60",
			[]string{"default 60 0 - @42s len=1m0s"}},
		{"milliseconds told by the name", 200, "X-RateLimit-Remaining-Minute: 0\nX-RateLimit-Reset-Minute: 42000",
			[]string{"minute - 0 - @42s len=1m0s"}},

		{"unlimited: minus one", 200, "X-RateLimit-Limit: -1\nX-RateLimit-Remaining: -1\nX-RateLimit-Reset: 0", []string{"default * * -"}},
		{"unlimited: a word", 200, "X-RateLimit-Limit: unlimited", []string{"default * - -"}},
		{"unlimited: none of none on a success", 200, "X-RateLimit-Limit: 0\nX-RateLimit-Remaining: 0", []string{"default * * -"}},
		{"none of none on a refusal", 429, "X-RateLimit-Limit: 0\nX-RateLimit-Remaining: 0", []string{"default 0 0 -"}},
		{"minus one on a refusal", 429, "X-RateLimit-Limit: 10\nX-RateLimit-Remaining: -1", []string{"default 10 0 -"}},
		{"minus one on a refusal without a limit", 429, "X-RateLimit-Remaining: -1\nX-RateLimit-Reset: 9", []string{"default - 0 - @9s"}},
		{"minus one for both on a refusal", 429, "X-RateLimit-Limit: -1\nX-RateLimit-Remaining: -1\nX-RateLimit-Reset: 9", []string{"default * * -"}},
		{"overdrawn", 200, "X-RateLimit-Limit: 10\nX-RateLimit-Remaining: -7", []string{"default 10 0 -"}},
		{"zero, malformed and absent differ", 200, "X-RateLimit-Limit: many\nX-RateLimit-Remaining: 0", []string{"default ? 0 -"}},
		{"malformed reset", 200, "X-RateLimit-Remaining: 3\nX-RateLimit-Reset: soon", []string{"default - 3 -"}},
		{"reset of the year 1", 200, "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 0001-01-01T00:00:00Z", nil},
		{"reset in the dead zone", 200, "X-RateLimit-Remaining: 3\nX-RateLimit-Reset: 137270087", []string{"default - 3 -"}},

		{"a use and a limit by last word", 200, "X-Usage-Limit: 100\nX-Usage-Used: 60\nX-Usage-Resets-At: 2026-03-01T13:00:00Z",
			[]string{"default 100 40 60 @2026-03-01T13:00:00Z"}},
		{"uses and limits of two periods", 200, "X-Usage-Limit-10s: 20\nX-Usage-Remaining-10s: 19\nX-Usage-Limit-1h: 500\nX-Usage-Remaining-1h: 480",
			[]string{"10s 20 19 - len=10s", "1h 500 480 - len=1h0m0s"}},
		{"consumed tokens", 200, "X-Tokens-Consumed: 120\nX-Tokens-Remaining: 880", []string{"tokens - 880 120 unit=tokens"}},
		{"a use that is current", 200, "X-Usage-Limit: 5\nX-Usage-Current: 5", []string{"default 5 0 5"}},
		{"a use of an API", 200, "X-API-Usage: 42\nX-API-Limit: 1000", []string{"api 1000 958 42"}},
		{"a use of anything", 200, "X-Pool-Usage: 42\nX-Pool-Limit: 1000", nil},
		{"use and limit in one value", 200, "X-API-Usage: 42/1000\nX-API-Reset: 600", []string{"api 1000 958 42 @10m0s"}},
		{"rest and limit in one value", 200, "X-RateLimit-Remaining: 99/100", []string{"default 100 99 -"}},
		{"rest and limit in words", 200, "X-RateLimit-Remaining: 99 of 100", []string{"default 100 99 -"}},
		{"a total beside a rest", 200, "X-Credits-Total: 1000\nX-Credits-Remaining: 847\nX-Credits-Used: 153", []string{"credits 1000 847 153 unit=credits"}},
		{"a total alone", 200, "X-Credits-Total: 1000", nil},
		{"a total beside a limit", 200, "X-Requests-Total: 16\nX-Requests-Limit: 250\nX-Requests-Remaining: 234", []string{"requests 250 234 - unit=requests"}},
		{"most and rest", 200, "X-Max-Requests: 100\nX-Remaining-Requests: 99", []string{"requests 100 99 - unit=requests"}},
		{"a period and a rest", 200, "X-Requests-Per-Day: 1000\nX-Requests-Per-Day-Remaining: 900", []string{"requests-day 1000 900 - len=24h0m0s unit=requests"}},
		{"threads and those in use", 200, "X-Concurrent-Threads: 10\nX-Concurrent-Threads-Active: 3",
			[]string{"concurrent-threads 10 7 3 unit=concurrent-requests"}},
		{"threads alone", 200, "X-Concurrent-Threads: 10", nil},
		{"a name without a role beside its rest", 200, "X-RateLimit-Concurrent-Jobs: 4\nX-RateLimit-Concurrent-Jobs-Remaining: 3",
			[]string{"concurrent-jobs 4 3 - unit=concurrent-requests"}},
		{"a rest in percent", 200, "X-Quota-Remaining-Percent: 8.5", []string{"quota 100 8.5 - unit=percent"}},
		{"a limit and its most", 200, "X-Api-Limit-Used: 10\nX-Api-Limit-Max: 100", []string{"api 100 90 10"}},
		{"a quota in pairs", 200, "X-Quota: used=10, total=100", []string{"quota 100 90 10"}},
		{"a reset in words", 200, "X-RateLimit-Remaining: 9\nX-RateLimit-Reset: in 30 seconds", []string{"default - 9 - @30s"}},
		{"a vendor glued to what is counted", 200, "acmeRequestsLimit: 100\nacmeRequestsRemaining: 20", []string{"acme-requests 100 20 - unit=requests"}},
		{"the cost of a request", 200, "X-RateLimit-Limit: 700\nX-RateLimit-Remaining: 600\nX-Request-Cost: 10", []string{"default 700 600 - unit=cost"}},
		{"a cost of one", 200, "X-RateLimit-Limit: 700\nX-RateLimit-Remaining: 600\nX-Request-Cost: 1", []string{"default 700 600 -"}},
		{"cost as a window", 200, "X-RateLimit-Limit-Cost: 1000\nX-RateLimit-Remaining-Cost: 900\nX-RateLimit-Cost: 25", []string{"cost 1000 900 - unit=cost"}},
		{"the cost of a request beside a unit", 200, "X-Credit-Limit: 700\nX-Credit-Remaining: 600\nX-Request-Cost: 10",
			[]string{"credit 700 600 - unit=credits"}},
		{"the cost of a request beside two windows", 200, "X-RateLimit-Remaining: 600\nX-RateLimit-Remaining-Day: 900\nX-Request-Cost: 10",
			[]string{"default - 600 -", "day - 900 - len=24h0m0s"}},
		{"a unit in a field of its own", 200, "X-RateLimit-Limit-Day: 700\nX-RateLimit-Remaining-Day: 600\nX-RateLimit-Unit: Tokens",
			[]string{"day 700 600 - len=24h0m0s unit=tokens"}},
		{"a unit of time", 429, "X-RateLimit-Limit: 700\nX-RateLimit-Reset: 9\nX-RateLimit-Unit: minute", []string{"default 700 - - @9s len=1m0s"}},
		{"a unit beside one in a name", 200, "X-RateLimit-Limit-Requests: 7\nX-RateLimit-Limit: 90\nX-RateLimit-Unit: credits",
			[]string{"default 90 - - unit=credits", "requests 7 - - unit=requests"}},
		{"a unit that is none", 200, "X-RateLimit-Remaining: 6\nX-RateLimit-Unit: alice", []string{"default - 6 -"}},
		{"a unit alone", 200, "X-RateLimit-Unit: tokens", nil},
		{"throttle as a stem", 200, "X-Acme-Throttle-Limit: 30\nX-Acme-Throttle-Remaining: 4", []string{"default 30 4 -"}},
		{"attempts", 200, "X-RateLimit-Attempts: 3\nX-RateLimit-Max-Attempts: 10", []string{"default 10 7 3"}},
		{"attempts to log in", 200, "X-Login-Attempts-Remaining: 3\nX-Login-Attempts-Limit: 9", nil},
		{"a ttl beside a reset", 200, "X-Throttle-Remaining: 4\nX-Throttle-Ttl: 60\nX-Throttle-Reset: 20", []string{"default - 4 - @20s len=1m0s"}},
		{"a ttl alone", 200, "X-Throttle-Remaining: 4\nX-Throttle-Ttl: 60", []string{"default - 4 - @1m0s"}},
		{"the window of a quota", 200, "X-Quota-Remaining: 4\nX-Quota-Window: day\nX-Quota-Limit: 9", []string{"quota 9 4 - len=24h0m0s"}},
		{"a time in pairs that is a period", 200, "X-RateLimit-Api: remain:9,limit:10,time:10 second", []string{"api 10 9 - len=10s"}},
		{"a time in pairs that may be anything", 200, "X-RateLimit-Api: remain:9,limit:10,time:10", []string{"api 10 9 -"}},
		{"the most that one request may ask for", 200, "X-RateLimit-Remaining: 9\nX-Complexity-Limit: 1000\nX-Complexity-Cost: 6", []string{"default - 9 - unit=cost"}},
		{"the same alone", 200, "X-Complexity-Limit: 1000", nil},
		{"the cost that a vendor names", 200, "X-RateLimit-Limit: 700\nX-RateLimit-Remaining: 600\nX-Acme-Cost: 10", []string{"default 700 600 - unit=cost"}},
		{"the cost of a method", 200, "X-RateLimit-Limit: 900\nX-RateLimit-Remaining: 125\nX-RateLimit-Method-Cost: 3", []string{"default 900 125 - unit=cost"}},
		{"a burst beside a rest", 200, "X-RateLimit-Burst: 9\nX-RateLimit-Remaining: 4\nX-RateLimit-Rate: 2", []string{"default 9 4 -"}},
		{"a burst beside a limit", 200, "X-RateLimit-Burst: 9\nX-RateLimit-Limit: 100\nX-RateLimit-Remaining: 87", []string{"default 100 87 -"}},
		{"a burst below the rest", 200, "X-RateLimit-Burst: 9\nX-RateLimit-Remaining: 87", []string{"default - 87 -"}},
		{"a burst alone", 200, "X-RateLimit-Burst: 9", nil},
		{"the most of a quota", 200, "X-Acme-Quota-Max: 1000\nX-Acme-Quota-Remaining: 999", []string{"acme-quota 1000 999 -"}},
		{"calls of a rate", 200, "X-Rate-Limit-Limit: 90\nX-Rate-Calls-Remaining: 8", []string{"calls 90 8 - unit=calls"}},
		{"a limit of none alone on a success", 200, "X-RateLimit-Limit: 0", []string{"default * * -"}},
		{"none left of no limit on a success", 200, "X-Credits-Limit: -1\nX-Credits-Remaining: 0\nX-Credits-Used: 0", []string{"credits * * 0 unit=credits"}},
		{"a limit of none alone on a refusal", 429, "X-RateLimit-Limit: 0", []string{"default 0 - -"}},
		{"a price that a vendor names", 200, "X-RateLimit-Limit: 700\nX-RateLimit-Remaining: 600\nX-Acme-Cost: 0.25", []string{"default 700 600 -"}},
		{"a cost of two names", 200, "X-RateLimit-Limit: 700\nX-RateLimit-Remaining: 600\nX-Acme-Shipping-Cost: 10", []string{"default 700 600 -"}},
		{"a length in periods of another field", 200, "X-Acme-Throttle-Limit: 240\nX-Acme-Throttle-Interval: 2\nX-Acme-Throttle-Time-Unit: minute\n" +
			"X-Acme-Throttle-Available: 239\nX-Acme-Quota-Limit: 900\nX-Acme-Quota-Available: 800\nX-Acme-Quota-Interval: 1\nX-Acme-Quota-Time-Unit: day",
			[]string{"default 240 239 - len=2m0s", "acme-quota 900 800 - len=24h0m0s"}},
		{"a length that another field repeats", 200, "X-RateLimit-Limit: 9\nX-RateLimit-Remaining: 4\nX-RateLimit-Window: 60\nX-RateLimit-Unit: minute",
			[]string{"default 9 4 - len=1m0s"}},
		{"a rate as Apigee writes it", 200, "X-Acme-Spike-Limit: 10ps\nX-RateLimit-Limit: 30pm\nX-RateLimit-Remaining: 4",
			[]string{"default 10 - - len=1s", "default#2 30 4 - len=1m0s"}},
		{"queries of a day and of an hour", 200, "X-Acme-Qpd-Left: 481\nX-Acme-Qph-Left: 20", []string{"acme-qph - 20 - len=1h0m0s", "acme-qpd - 481 - len=24h0m0s"}},
		{"what something is based on", 200, "X-RateLimit-Limit-Tokens_Usage_Based: 16\nX-RateLimit-Remaining-Tokens_Usage_Based: 9",
			[]string{"tokens-usage-based 16 9 - unit=tokens"}},
		{"a reset whose last word is that of a window", 200, "X-Key-Qps-Allotted: 25\nX-Key-Qps-Current: 1\nX-Key-Quota-Allotted: 200\nX-Key-Quota-Current: 90\n" +
			"X-Plan-Quota-Reset: 2026-03-02T00:00:00Z", []string{"key-quota 200 110 90 @2026-03-02T00:00:00Z", "key-qps 25 24 1 len=1s"}},
		{"a reset whose last word is that of two windows", 200, "X-Key-Quota-Remaining: 110\nX-App-Quota-Remaining: 90\nX-Plan-Quota-Reset: 9",
			[]string{"app-quota - 90 -", "key-quota - 110 -", "plan-quota - - - @9s"}},
		{"what one call used", 200, "Acme-Call-Credit-Usage: 3\nAcme-Current-Credit-Usage: 1342", []string{"acme-credit - - 1342 unit=credits"}},
		{"a window that another field names, told twice", 200, "RateLimit: \"a\";r=8;t=41, \"b\";r=8;t=41\nRateLimit-Policy: \"a\";q=10;w=60, \"b\";q=10;w=60\n" +
			"X-RateLimit-Limit: 10\nX-RateLimit-Remaining: 8\nX-RateLimit-Reset: 41\nX-RateLimit-Resource: b",
			[]string{"a 10 8 - @41s len=1m0s", "b 10 8 - @41s len=1m0s"}},
		{"a service that answers slower", 200, "X-Slowdown-Limit: 5\nX-Slowdown-Remaining: 0\nX-Slowdown-Delay: 2000", nil},
		{"a limit of a minute", 200, "X-Limit-Minutes: 10\nX-Limit-Remaining: 3", []string{"default 10 3 - len=1m0s"}},
		{"a reset with another prefix", 200, "X-Limit-Remaining: 3\nX-RateLimit-Reset: 9", []string{"default - 3 - @9s"}},
		{"a reset in minutes", 200, "X-Tokens-Remaining: 3\nX-Reset-Minutes: 9", []string{"tokens - 3 - @9m0s unit=tokens"}},
		{"a reset with another prefix than a window of a day", 200, "X-Daily-Tokens-Remaining: 3\nX-RateLimit-Reset: 9",
			[]string{"default - - - @9s", "daily-tokens - 3 - len=24h0m0s unit=tokens"}},
		{"a reset with another prefix than two windows", 200, "X-Tokens-Remaining: 3\nX-Requests-Remaining: 4\nX-RateLimit-Reset: 9",
			[]string{"default - - - @9s", "requests - 4 - unit=requests", "tokens - 3 - unit=tokens"}},
		{"a limit and a rest of a use", 200, "X-Usage-Limit: 9\nX-Usage-Remaining: 4", []string{"default 9 4 -"}},
		{"a rest of a use alone", 200, "X-Usage-Remaining: 4", nil},
		{"money", 200, "X-RateLimit-Limit-Daily-USD: 9\nX-RateLimit-Remaining-Daily-USD: 4.5", []string{"daily-usd 9 4.5 - len=24h0m0s unit=usd"}},
		{"a rest of an API", 200, "X-API-Remaining: 4", []string{"api - 4 -"}},
		{"a rate as nginx writes it", 200, "X-Rate-Limit: 60r/m\nX-Burst: 10", []string{"default 60 - - len=1m0s"}},
		{"a rate of seconds", 200, "X-RateLimit-Limit: 10r/s\nX-RateLimit-Remaining: 4", []string{"default 10 4 - len=1s"}},
		{"a rate with a letter for its period", 200, "X-RateLimit-Limit: 500/h\nX-RateLimit-Remaining: 4", []string{"default 500 4 - len=1h0m0s"}},
		{"a rate of nothing", 200, "X-RateLimit-Limit: 60r\nX-RateLimit-Remaining: 4", []string{"default ? 4 -"}},
		{"the name before each value", 200, "RateLimit-Limit: PerPort:1500/m\nRateLimit-Remaining: PerPort:1499\nRateLimit-Reset: PerPort:14s",
			[]string{"perport 1500 1499 - @14s len=1m0s"}},
		{"two names before each value", 200, "X-RateLimit-Limit: hosts:50, ports:20\nX-RateLimit-Remaining: hosts:40, ports:3",
			[]string{"hosts 50 40 -", "ports 20 3 -"}},
		{"a role before the value", 200, "X-RateLimit-Limit: remaining:40", []string{"default ? 40 -"}},
		{"a rest with half the prefix", 200, "X-RateLimit-Limit: 100\nX-Rate-Remaining: 99\nX-RateLimit-Reset: 9", []string{"default 100 99 - @9s"}},
		{"the same alone", 200, "X-Rate-Remaining: 99\nX-Rate-Reset: 9", []string{"default - 99 - @9s"}},
		{"a rest with half the prefix that is more than the limit", 200, "X-RateLimit-Limit: 100\nX-Rate-Remaining: 990",
			[]string{"default - 990 -", "default#2 100 - -"}},
		{"rates of something else", 200, "X-Exchange-Rate-Remaining: 9\nX-Rate-Used: 1.2\nX-Sample-Rate: 3", nil},

		{"not about limits", 200, "X-Total-Count: 40\nX-Page-Limit: 20\nX-Ratelimit-Docs: http://x.example\nX-Request-Cost: 3\n" +
			"X-RateLimit-Tier: 3\nX-RateLimit-Tokens: 3\nX-Upload-Limit: 100\nX-Max-Age: 3\nX-Ttl: 300\nX-Recharge-Limit: 40\nX-Retry-Count: 2\nX-RateLimit-Requested-Tokens: 1",
			nil},
		{"only names", 200, "X-RateLimit-Resource: core\nX-RateLimit-Scope: user\nX-RateLimit-Window: 60", nil},
		{"empty values", 200, "X-RateLimit-Limit:\nX-RateLimit-Remaining:\nRateLimit:\nRetry-After:", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, windowsOf(tt.status, tt.lines))
		})
	}
}
