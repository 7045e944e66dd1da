package harm

// Gaps are the worlds whose goals forbear misses, and by what. The test fails when one
// of them reaches its goal: the list can only become shorter.
var Gaps = map[string]string{ //nolint:gosec // no world is a credential
	"short-day":        "served 0.80, not 0.90",
	"points-low":       "served 0.85, not 0.90",
	"tokens-long":      "refused 10.87 %, not 5.00 %",
	"tokens-short":     "served 0.87, not 0.95",
	"too-large":        "997 calls failed, not 0",
	"overload-bursts":  "served 0.94, not 0.95",
	"block-renewed":    "refused 52.38 %, not 5.00 %",
	"anonymous":        "served 0.02, not 0.95",
	"beyond-remaining": "served 0.00, not 0.90",
	"renewed":          "served 0.00, not 0.70",
	"chats":            "used 0.10, not 0.80",
	"channels":         "used 0.88, not 0.90",
}

// edge has the worlds that are so near their goal that chance decides.
var edge = map[string]bool{"overload-bursts": true, "channels": true}
