package header

import (
	"fmt"
	"slices"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// dialects are the ones that come with the package. A response that only lacks a
// name in the grammar does not belong here but in the table exceptions.
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
			{Name: "daily", Length: scan.Day, Aligned: true},
		},
	},
	{
		// https://dev.moysklad.ru/doc/api/remap/1.2/
		Name:  "moysklad",
		Hosts: []string{"api.moysklad.ru"},
		Fields: map[string]Field{
			"X-RateLimit-Limit":           {Role: Limit, Window: "requests"},
			"X-RateLimit-Remaining":       {Role: Remaining, Window: "requests"},
			"X-Lognex-Reset":              {Role: ResetTime, Unit: time.Millisecond, Window: "requests"},
			"X-Lognex-Retry-TimeInterval": {Role: Length, Unit: time.Millisecond, Window: "requests"},
			"X-Lognex-Retry-After":        {Role: RetryAfter, Unit: time.Millisecond},
		},
	},
	// Those below tell limits in the bodies of successes.
	{Name: "shopify", Hosts: []string{".myshopify.com"}, Bodies: true},                       // extensions.cost of GraphQL
	{Name: "stackexchange", Hosts: []string{"api.stackexchange.com"}, Bodies: true},          // backoff, quota_remaining
	{Name: "slack", Hosts: []string{"slack.com", ".slack.com"}, Bodies: true},                // "error": "ratelimited"
	{Name: "bungie", Hosts: []string{"www.bungie.net"}, Bodies: true},                        // ThrottleSeconds
	{Name: "bybit", Hosts: []string{"api.bybit.com", "api-testnet.bybit.com"}, Bodies: true}, // "retCode": 10006
	{Name: "lark", Hosts: []string{"open.feishu.cn", "open.larksuite.com"}, Bodies: true},    // "code": 99991400
	{
		// https://developer-pro.bitmart.com/en/spot/#rate-limit: Remaining counts up.
		Name:  "bitmart",
		Hosts: []string{".bitmart.com"},
		Fields: map[string]Field{"X-BM-RateLimit-Remaining": {Role: Used},
			"X-BM-RateLimit-Reset": {Role: Length, Unit: time.Second}},
	},
	// Those below turn requests away with a 200.
	{Name: "etherscan", Refusals: true, Hosts: []string{".etherscan.io", ".bscscan.com", ".polygonscan.com", ".arbiscan.io",
		".basescan.org", ".snowtrace.io", ".ftmscan.com", ".blockscout.com"}},
	{Name: "alphavantage", Refusals: true, Hosts: []string{"www.alphavantage.co"}},
	{Name: "kraken", Refusals: true, Hosts: []string{"api.kraken.com", "futures.kraken.com"}},
	{Name: "marketo", Refusals: true, Hosts: []string{".mktorest.com"}}, // errors 606, 607 and 615
	{Name: "monday", Refusals: true, Hosts: []string{"api.monday.com"}}, // COMPLEXITY_BUDGET_EXHAUSTED
	{Name: "googlemaps", Refusals: true, Hosts: []string{"maps.googleapis.com"}},
	{Name: "vk", Refusals: true, Hosts: []string{"api.vk.com", "api.vk.ru"}},
	{Name: "lastfm", Refusals: true, Hosts: []string{"ws.audioscrobbler.com"}},
	{Name: "deezer", Refusals: true, Hosts: []string{"api.deezer.com"}},
	{Name: "twelvedata", Refusals: true, Hosts: []string{"api.twelvedata.com"}}, // "code": 429
	{Name: "apilayer", Refusals: true, Hosts: []string{"data.fixer.io", "api.currencylayer.com", "api.weatherstack.com",
		"api.aviationstack.com", "api.marketstack.com", "api.ipstack.com", "api.ipapi.com"}}, // usage_limit_reached
	{Name: "amap", Refusals: true, Hosts: []string{"restapi.amap.com"}}, // CUQPS_HAS_EXCEEDED_THE_LIMIT
	{Name: "wechat", Refusals: true, Hosts: []string{"api.weixin.qq.com", "qyapi.weixin.qq.com"}},
	{Name: "taobao", Refusals: true, Hosts: []string{"eco.taobao.com", "gw.api.taobao.com"}},
	{Name: "geonames", Refusals: true, Hosts: []string{"api.geonames.org", "secure.geonames.org"}},
	{Name: "tencent", Refusals: true, Hosts: []string{".tencentcloudapi.com"}}, // Response.Error.Code
	{Name: "baidu", Refusals: true, Hosts: []string{"aip.baidubce.com", "api.map.baidu.com"}},
	{Name: "withings", Refusals: true, Hosts: []string{"wbsapi.withings.net"}}, // "status": 601
	{Name: "viber", Refusals: true, Hosts: []string{"chatapi.viber.com"}},
	{Name: "tiktok", Refusals: true, Hosts: []string{"business-api.tiktok.com"}}, // "code": 40100
	{Name: "dingtalk", Refusals: true, Hosts: []string{"oapi.dingtalk.com", "api.dingtalk.com"}},
	// https://docs.virustotal.com/v2.0/reference/api-responses
	{Name: "virustotal", silent: true, Hosts: []string{"www.virustotal.com"}},
	{Name: "okx", Refusals: true, Hosts: []string{".okx.com", ".oklink.com"}}, // "code": "50011"
	{Name: "deribit", Refusals: true, Hosts: []string{".deribit.com"}},        // too_many_requests
	{Name: "arcgis", Refusals: true, Hosts: []string{".arcgis.com"}},          // error.code 429
	{Name: "fmp", Refusals: true, Hosts: []string{"financialmodelingprep.com"}},
	{Name: "baidutranslate", Refusals: true, Hosts: []string{"fanyi-api.baidu.com", "api.fanyi.baidu.com"}}, // 54003
	{Name: "nmi", Refusals: true, Hosts: []string{"secure.nmi.com"}},                                        // response_code=301
	{Name: "cryptocompare", Refusals: true, Hosts: []string{"min-api.cryptocompare.com"}},
	{Name: "zillow", Refusals: true, Hosts: []string{"www.zillow.com"}},
	{Name: "spacetrack", Refusals: true, Hosts: []string{"www.space-track.org"}},
	{Name: "tiny", Refusals: true, Hosts: []string{"api.tiny.com.br"}},
	{Name: "nexmo", Refusals: true, Hosts: []string{"rest.nexmo.com"}},
	{Name: "ebay", Refusals: true, Hosts: []string{"api.ebay.com"}}, // the Trading API, in XML
	{Name: "ipqualityscore", Refusals: true, Hosts: []string{"www.ipqualityscore.com", "ipqualityscore.com"}},
	{Name: "tiingo", Refusals: true, Hosts: []string{"api.tiingo.com"}},
	{Name: "mexc", Refusals: true, Hosts: []string{"contract.mexc.com"}},
	{Name: "tushare", Refusals: true, Hosts: []string{"api.tushare.pro", "api.waditu.com"}},
	{Name: "juhe", Refusals: true, Hosts: []string{".juhe.cn"}},
	{Name: "datagokr", Refusals: true, Hosts: []string{"apis.data.go.kr"}},
	{Name: "dart", Refusals: true, Hosts: []string{"opendart.fss.or.kr"}},
	{Name: "tradovate", Refusals: true, Hosts: []string{".tradovateapi.com"}, Body: timePenalty},
	// These with a 500.
	{Name: "kis", Refusals: true, Hosts: []string{".koreainvestment.com"}}, // EGW00201
	{Name: "omie", Refusals: true, Hosts: []string{"app.omie.com.br"}},
	{Name: "jsonrpc", Refusals: true, Hosts: []string{".infura.io", ".alchemy.com", ".quiknode.pro", "rpc.ankr.com"}},
}

// timePenalty reads Tradovate's {"p-ticket":"...","p-time":15}, which stands in place of an
// answer: https://github.com/tradovate/api/blob/master/Access.md.
func timePenalty(_ int, body []byte) (wait time.Duration, known, refused bool) {
	for s := (scan.JSON{Text: string(body)}); s.Next(); {
		switch n, ok := scan.ParseNumber(s.Value); {
		case s.Depth != 1:
		case s.Key == "p-ticket":
			refused = true
		case s.Key == "p-time" && ok:
			wait, known = n.Times(time.Second)
		}
	}
	return wait, known && refused, refused
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
