package header

import "time"

// exceptions holds the names that follow no grammar, in lower case. It is for
// fields that say in themselves what they are; what only the host can tell
// (such as milliseconds in a plain X-RateLimit-Reset) is a Dialect.
var exceptions = map[string]field{
	"date": {role: roleDate},
	"age":  {role: roleAge},
	// httpcache and its offspring; Cloudflare; most other content networks.
	"x-from-cache":    {role: roleCache},
	"cf-cache-status": {role: roleCache},
	"x-cache":         {role: roleCache},

	// Zotero: a pause that it asks for on any answer.
	"backoff": {role: roleBackoff, step: time.Second},
	// Azure DevOps: how long this answer was delayed. It comes with a Retry-After
	// on successes.
	"x-ratelimit-delay":       {role: roleDelay, step: time.Second},
	"x-throttle-wait-seconds": {role: roleRetry, step: time.Second},

	// ip-api.com. X-Ttl is a cache's word elsewhere, so it counts only beside X-Rl.
	"x-rl":  {role: roleRemaining, family: "x-rl"},
	"x-ttl": {role: roleReset, family: "x-rl", step: time.Second, strict: true},
	// Spring Cloud Gateway: the bucket's size, which X-RateLimit-Remaining counts down.
	"x-ratelimit-burst-capacity": {role: roleLimit, family: "x-ratelimit", unit: "tokens"},
	// football-data.org: the only window's reset, under a stem of its own.
	"x-requestcounter-reset": {role: roleReset, family: "~", step: time.Second},
	// Walmart Marketplace.
	"x-current-token-count":     {role: roleRemaining, family: "x-token", unit: "tokens"},
	"x-next-replenishment-time": {role: roleReset, family: "x-token"},
	"x-next-replenish-time":     {role: roleReset, family: "x-token"},
	// Amazon Selling Partner API: a rate in requests per second.
	"x-amzn-ratelimit-limit": {role: roleLimit, family: "x-amzn-ratelimit", length: time.Second},
	// Twelve Data: used and left add up to the limit, which is not sent.
	"api-credits-used": {role: roleUsed, family: "api-credits", unit: "credits", sum: true},
	"api-credits-left": {role: roleRemaining, family: "api-credits", unit: "credits", sum: true},
	// Dataverse: execution time left, in seconds, not time until something.
	"x-ms-ratelimit-time-remaining-xrm-requests": {role: roleRemaining, family: "x-ms-ratelimit", key: "time-xrm-requests",
		label: "time-xrm-requests", unit: "seconds"},
	// Lightspeed: used/limit of a bucket and of what one second may take of it.
	"x-ls-api-bucket-level": {role: rolePair, family: "x-ls-api", key: "bucket", label: "bucket"},
	"x-ls-api-burst-level":  {role: rolePair, family: "x-ls-api", key: "burst", label: "burst", length: time.Second},
	// BingX and KuCoin: milliseconds.
	"x-ratelimit-requests-expire": {role: roleReset, family: "x-ratelimit", key: "requests", label: "requests", step: time.Millisecond},
	"gw-ratelimit-reset":          {role: roleReset, family: "gw-ratelimit", step: time.Millisecond},

	// Everything in one value.
	"sforce-limit-info":          {role: roleStem, family: "sforce", strict: true},
	"x-sentry-rate-limits":       {role: rolePacked, family: "sentry", packed: packedSentry},
	"x-app-usage":                {role: rolePacked, family: "meta", key: "app", label: "app", packed: packedMeta},
	"x-page-usage":               {role: rolePacked, family: "meta", key: "page", label: "page", packed: packedMeta},
	"x-ad-account-usage":         {role: rolePacked, family: "meta", key: "ad-account", label: "ad-account", packed: packedMeta},
	"x-business-use-case-usage":  {role: rolePacked, family: "meta", key: "business", label: "business", packed: packedMeta},
	"x-fb-ads-insights-throttle": {role: rolePacked, family: "meta", key: "ads-insights", label: "ads-insights", packed: packedMeta},
	// EPO: what is left of each service in this minute.
	"x-throttling-control": {role: rolePacked, family: "throttling", length: time.Minute, packed: packedServices},
	"units":                {role: rolePacked, family: "units", unit: "units", packed: packedYandex},
}
