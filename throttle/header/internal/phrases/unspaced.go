package phrases

// What servers write that put no spaces between words.
//
//nolint:gosmopolitan // servers write in their own language
var (
	// unspacedRefusals are phrases that say by themselves that a limit was hit.
	unspacedRefusals = []string{
		"过于频繁", "太频繁", "過於頻繁", "頻率過高", "频率过高", "频率过快", "频率超过限制", "超过频率限制", "频率超限", "请求过多", "请求太多",
		"請求過多", "請求太多", "请求过快", "请求太快", "请求次数过多", "请求数过多", "并发数过高", "触发限流", "每分钟最多访问", "每小时最多访问", "每天最多访问", "已被限流", "被限流",
		"リクエストが多すぎ", "너무 많은 요청", "요청이 너무 많",
	}
	// unspacedLimits are things of which a sentence can say that they are used up, and
	// unspacedExceeded the words by which it says so.
	unspacedLimits = []string{
		"速率限制", "频率限制", "頻率限制", "请求配额", "每日配额", "每日配額", "月度配额", "每月配额", "调用配额", "调用次数", "调用额度", "请求次数",
		"请求限制", "并发限制", "レート制限", "リクエスト制限", "リクエスト数", "요청 한도", "요청 제한", "초당 거래건수", "호출 한도", "요청 횟수", "호출 횟수", "속도 제한",
	}
	unspacedExceeded = []string{
		"超出", "超过", "超過", "已达", "已達", "用完", "用尽", "用盡", "耗尽", "上限", "触发", "超え", "達し", "초과",
	}
)

// saysLimitedUnspaced reports whether such a text says that requests were too many.
func saysLimitedUnspaced(text string) bool {
	return ContainsAny(text, unspacedRefusals) || ContainsAny(text, unspacedLimits) && ContainsAny(text, unspacedExceeded)
}
