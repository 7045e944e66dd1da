package header

import (
	"fmt"
	"slices"
	"time"
)

// dialects are the ones that come with the package. A response that only lacks a
// name in the grammar does not belong here but in the table named.
var dialects = []Dialect{
	{
		// https://docs.mulesoft.com/api-manager/2.x/rate-limiting-and-throttling.
		// The gateway runs under its users' hosts.
		Name:   "mulesoft",
		Fields: map[string]Field{"X-RateLimit-Reset": {Role: ResetTime, Unit: time.Millisecond}},
	},
	{
		// https://developer.prisjakt.nu/docs/sections/rate-limit
		Name:   "prisjakt",
		Hosts:  []string{".prisjakt.nu"},
		Fields: map[string]Field{"X-Rate-Limit-Reset": {Role: ResetTime, Unit: time.Millisecond}},
	},
	{
		// https://dev.skuvault.com/docs
		Name:   "skuvault",
		Hosts:  []string{"app.skuvault.com", "staging.skuvault.com"},
		Fields: map[string]Field{"X-RateLimit-Reset": {Role: ResetTime, Unit: time.Millisecond}},
	},
	{
		// https://api-docs.aevo.xyz/reference/rate-limits-1
		Name:   "aevo",
		Hosts:  []string{"api.aevo.xyz", "api-testnet.aevo.xyz"},
		Fields: map[string]Field{"X-Retry-After": {Role: RetryAfter, Unit: time.Nanosecond}},
	},
	{
		// https://developers.strava.com/docs/rate-limits
		Name:  "strava",
		Hosts: []string{"www.strava.com"},
		Periods: []Period{
			{Name: "15min", Length: 15 * time.Minute, Aligned: true},
			{Name: "daily", Length: day, Aligned: true},
		},
	},
	// Those below tell limits in the bodies of successes.
	{Name: "shopify", Hosts: []string{".myshopify.com"}, Bodies: true},                       // extensions.cost of GraphQL
	{Name: "stackexchange", Hosts: []string{"api.stackexchange.com"}, Bodies: true},          // backoff, quota_remaining
	{Name: "slack", Hosts: []string{"slack.com", ".slack.com"}, Bodies: true},                // "error": "ratelimited"
	{Name: "bungie", Hosts: []string{"www.bungie.net"}, Bodies: true},                        // ThrottleSeconds
	{Name: "bybit", Hosts: []string{"api.bybit.com", "api-testnet.bybit.com"}, Bodies: true}, // "retCode": 10006
	{Name: "lark", Hosts: []string{"open.feishu.cn", "open.larksuite.com"}, Bodies: true},    // "code": 99991400
}

// Named returns the dialect of that name from the table that comes with the
// package. It is for dialects that no host gives away, such as "mulesoft"; a
// Reader finds the others by its host. An unknown name is an error.
func Named(name string) (Dialect, error) {
	i := slices.IndexFunc(dialects, func(d Dialect) bool { return d.Name == name })
	if i < 0 {
		return Dialect{}, fmt.Errorf("header: no dialect is named %q", name)
	}
	return dialects[i], nil
}
