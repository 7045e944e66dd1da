package names

import "time"

// exceptions holds the names that follow no grammar, in lower case. It is for
// fields that say in themselves what they are; what only the host can tell
// (such as milliseconds in a plain X-RateLimit-Reset) is a Dialect.
var exceptions = map[string]Field{
	"date": {Role: RoleDate},
	"age":  {Role: RoleAge},
	// httpcache and its offspring; Cloudflare; most other content networks.
	"x-from-cache":    {Role: RoleCache},
	"cf-cache-status": {Role: RoleCache},
	"x-cache":         {Role: RoleCache},

	// Zotero: a pause that it asks for on any answer.
	"backoff": {Role: RoleBackoff, Step: time.Second},
	// Azure DevOps: how long this answer was delayed. It comes with a Retry-After
	// on successes.
	"x-ratelimit-delay":       {Role: RoleDelay, Step: time.Second},
	"x-rate-limited-for":      {Role: RoleRetry, Step: time.Second},
	"x-wait-time":             {Role: RoleRetry, Step: time.Second},
	"x-wait-seconds":          {Role: RoleRetry, Step: time.Second},
	"x-throttle-wait-seconds": {Role: RoleRetry, Step: time.Second},

	// ip-api.com. X-Ttl is a cache's word elsewhere, so it counts only beside X-Rl.
	"x-rl":  {Role: RoleRemaining, Family: "x-rl"},
	"x-ttl": {Role: RoleReset, Family: "x-rl", Step: time.Second, Strict: true},
	// Spring Cloud Gateway: the bucket's size, which X-RateLimit-Remaining counts down.
	"x-ratelimit-burst-capacity": {Role: RoleLimit, Family: "x-ratelimit", Unit: "tokens"},
	// football-data.org: the only window's reset, under a stem of its own.
	"x-requestcounter-reset": {Role: RoleReset, Family: NoFamily, Step: time.Second},
	// Walmart Marketplace.
	"x-current-token-count":     {Role: RoleRemaining, Family: "x-token", Unit: "tokens"},
	"x-next-replenishment-time": {Role: RoleReset, Family: "x-token"},
	"x-next-replenish-time":     {Role: RoleReset, Family: "x-token"},
	// Amazon Selling Partner API: a rate in requests per second.
	"x-amzn-ratelimit-limit": {Role: RoleLimit, Family: "x-amzn-ratelimit", Length: time.Second},
	// Twelve Data: used and left add up to the limit, which is not sent.
	"api-credits-used": {Role: RoleUsed, Family: "api-credits", Unit: "credits", Sum: true},
	"api-credits-left": {Role: RoleRemaining, Family: "api-credits", Unit: "credits", Sum: true},
	// Dataverse: execution time left, in seconds, not time until something.
	"x-ms-ratelimit-time-remaining-xrm-requests": {Role: RoleRemaining, Family: "x-ms-ratelimit", Key: "time-xrm-requests",
		Label: "time-xrm-requests", Unit: "seconds"},
	// Lightspeed: used/limit of a bucket and of what one second may take of it.
	"x-ls-api-bucket-level": {Role: RolePair, Family: "x-ls-api", Key: "bucket", Label: "bucket"},
	"x-ls-api-burst-level":  {Role: RolePair, Family: "x-ls-api", Key: "burst", Label: "burst", Length: time.Second},
	// BingX and KuCoin: milliseconds.
	"x-ratelimit-requests-expire": {Role: RoleReset, Family: "x-ratelimit", Key: "requests", Label: "requests", Step: time.Millisecond},
	"gw-ratelimit-reset":          {Role: RoleReset, Family: "gw-ratelimit", Step: time.Millisecond},

	// Microsoft Graph, where most of a limit is used up: a share of it, of unknown size.
	"x-ms-throttle-limit-percentage": {},

	// Everything in one value.
	"sforce-limit-info":          {Role: RoleStem, Family: "sforce", Strict: true},
	"x-sentry-rate-limits":       {Role: RolePacked, Family: "sentry", Packed: PackedSentry},
	"x-app-usage":                {Role: RolePacked, Family: "meta", Key: "app", Label: "app", Packed: PackedMeta},
	"x-page-usage":               {Role: RolePacked, Family: "meta", Key: "page", Label: "page", Packed: PackedMeta},
	"x-ad-account-usage":         {Role: RolePacked, Family: "meta", Key: "ad-account", Label: "ad-account", Packed: PackedMeta},
	"x-business-use-case-usage":  {Role: RolePacked, Family: "meta", Key: "business", Label: "business", Packed: PackedMeta},
	"x-fb-ads-insights-throttle": {Role: RolePacked, Family: "meta", Key: "ads-insights", Label: "ads-insights", Packed: PackedMeta},
	// EPO: what is left of each service in this minute.
	"x-throttling-control": {Role: RolePacked, Family: "throttling", Length: time.Minute, Packed: PackedServices},
	"units":                {Role: RolePacked, Family: "units", Unit: "units", Packed: PackedYandex},
}
