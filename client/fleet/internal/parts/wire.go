// Package parts keeps quotas that several processes divide among them: each holds a part, keeps it by a limiter of
// its own, and asks a ledger for more. The parts never sum to more than the quota.
package parts

// A Report is what a member tells the ledger. All times are milliseconds of the store's clock.
type Report struct {
	Quota   int64  `json:"quota"` // the whole; it tells a report of this package from others
	ID      string `json:"id"`
	Seq     int64  `json:"seq"`
	Heard   int64  `json:"ack"`   // the last report that was answered
	Inc     string `json:"inc"`   // the incarnation of the ledger that the member knows
	Ver     int64  `json:"ver"`   // and its version
	Nonce   string `json:"nonce"` // names a new incarnation
	Members int64  `json:"k"`     // as far as the member knows
	TTL     int64  `json:"ttl"`   // for so long it may send without a word from the ledger,
	Keep    int64  `json:"keep"`  // and for so long what it holds may count, should it say nothing more
	Gone    int64  `json:"bye"`   // 1: it sends nothing more until it reports again
	Each    int64  `json:"e"`     // the part that it holds, lowered before it says so
	Want    int64  `json:"want"`  // so much more
	Rank    int64  `json:"rank"`  // the highest priority of what waits
}

// A Reply is what the ledger answers.
type Reply struct {
	Stale   bool   `json:"stale"` // the report came too late
	Inc     string `json:"inc"`
	Ver     int64  `json:"ver"`
	Members int64  `json:"k"`
	Each    int64  `json:"e"`    // the part that the member holds now
	Fair    int64  `json:"fair"` // the part that it can expect
	Turn    bool   `json:"turn"` // there is less than one for each: what is held is used once
	Wait    int64  `json:"wait"` // before it asks again
	News    *News  `json:"news,omitempty"`
}

// A News is a word to all members.
type News struct {
	Roll   bool            `json:"roll,omitempty"`   // the ledger was lost: who holds anything must say so
	Recall bool            `json:"recall,omitempty"` // who holds more than it needs, or than is fair, gives it up
	Fair   int64           `json:"fair,omitempty"`
	Rank   int64           `json:"rank,omitempty"` // what waits at a lower priority
	Low    int64           `json:"low,omitempty"`  // keeps no more than this
	Inc    string          `json:"inc,omitempty"`
	Turn   bool            `json:"turn,omitempty"` // what is pushed is used once
	Push   map[string]Push `json:"push,omitempty"` // by member
}

// A Push tells a member that its part grew by so much since its report with the given number.
type Push struct {
	Seq  int64 `json:"n"`
	Gain int64 `json:"g"`
}
