package fleet

import "time"

// A report is what a member tells the ledger of a key. Counters only ever say what is so
// now, so that a report may be lost, repeated, or late. All times are milliseconds of
// the store's clock.
type report struct {
	Quota    int64           `json:"quota,omitempty"` // it is a report of package parts
	ID       string          `json:"id"`
	Seq      int64           `json:"seq"`
	Heard    int64           `json:"ack"`   // the last report that was answered
	Inc      string          `json:"inc"`   // the incarnation of the ledger that the member knows
	Ver      int64           `json:"ver"`   // and its version
	Nonce    string          `json:"nonce"` // names a new incarnation
	Members  int64           `json:"k"`     // as far as the member knows
	TTL      int64           `json:"ttl"`
	Grace    int64           `json:"grace"`
	Trip     int64           `json:"trip"` // how long the API takes,
	Least    int64           `json:"lt"`   // and took at the least
	Want     int64           `json:"want"`
	Rank     int64           `json:"pr"`  // the highest priority of the requests that wait,
	First    int64           `json:"fi"`  // and how many have it
	Granted  int64           `json:"g"`   // units of cost that the member ever held,
	Finished int64           `json:"f"`   // those whose requests are over,
	Told     int64           `json:"fa"`  // and how many were when the ledger last answered
	Over     [][2]int64      `json:"ov"`  // by a time, so many of them were
	Probed   int64           `json:"pd"`  // the call of the last probe that is over,
	Shut     int64           `json:"ps"`  // and 1: it was not served
	Term     int64           `json:"tm"`  // of the allotment that the member knows,
	Each     int64           `json:"e"`   // which is so much of each instance of the window
	Spent    int64           `json:"sp"`  // of that, of this instance
	Last     int64           `json:"bye"` // 1: that is spent, and nothing more of the next
	Doubt    int64           `json:"db"`  // 1: less is left than can be
	Away     int64           `json:"aw"`  // it sent by itself in so much time, in which the store was away
	Off      int64           `json:"off"` // 1: nothing is announced; 2: what is cannot be shared
	Hold     int64           `json:"hold"`
	Refused  int64           `json:"rf"` // units that were refused, of those that are over,
	Heeded   int64           `json:"rt"` // and how many were when the ledger last answered
	Closed   int64           `json:"cl"` // until when refusals that name no limit close the API
	Tried    int64           `json:"tc"` // the call of the last trial that is over,
	Served   int64           `json:"ts"` // of which so many units were served,
	Failed   int64           `json:"tf"` // and 1: one was refused
	Windows  map[string]told `json:"ws"`

	refusal time.Time // what Hold says, on the member's clock
}

// A told is what responses told a member of a window.
type told struct {
	Limit     int64 `json:"l"`
	Bound     int64 `json:"b"`  // so many units in all, of the whole fleet, may be granted
	Newest    int64 `json:"nb"` // the same as of the newest request
	Remaining int64 `json:"r"`  // which told that so much remains
	Ver       int64 `json:"v"`  // and which was sent knowing this version
	Earliest  int64 `json:"lo"` // bounds of the reset
	Latest    int64 `json:"hi"`
	Length    int64 `json:"w"` // at the least; 0 is not known
}

// A reply is what the ledger answers.
type reply struct {
	Stale   bool            `json:"stale"` // the report came too late
	Time    int64           `json:"t"`
	Inc     string          `json:"inc"`
	Ver     int64           `json:"ver"`
	Granted int64           `json:"g"` // what the member holds now, counted as in the report
	Fleet   int64           `json:"f"` // units whose requests are over, of the whole fleet
	Members int64           `json:"k"`
	Hungry  int64           `json:"h"`    // members that wait for more
	Left    int64           `json:"left"` // what could be granted yet
	At      int64           `json:"at"`   // when asking again makes sense; 0 is not known
	Hold    int64           `json:"hold"`
	Open    int64           `json:"open"` // until then nothing is shared
	Learn   bool            `json:"learn"`
	Probe   bool            `json:"probe"`
	Term    int64           `json:"tm"`  // 0: units are granted one by one
	Each    int64           `json:"e"`   // of each instance, from
	Base    int64           `json:"b"`   // this number of the member's own on
	Try     int64           `json:"try"` // so much more may be tried, in this instance
	Windows map[string]fact `json:"ws"`
	News    *news           `json:"news,omitempty"` // to be published; a store takes it out
}

// A fact is what the ledger knows of a window.
type fact struct {
	Limit  int64 `json:"l"`
	Bound  int64 `json:"c"`
	Latest int64 `json:"hi"`
	Opens  int64 `json:"oe"` // when it opened, at the earliest
	Opened int64 `json:"op"` // and at the latest: it does so in each
	Period int64 `json:"p"`  // period, which is 0 if that is not known,
	Likely int64 `json:"lp"` // and this if it is not even likely
	Pause  int64 `json:"pw"` // none looks for so long after something was found
}

// A news is a word to all members.
type news struct {
	Credit bool  `json:"credit,omitempty"` // there is more to be granted
	Recall bool  `json:"recall,omitempty"` // who holds more than it needs may give it back
	Roll   bool  `json:"roll,omitempty"`   // the ledger was lost: who holds anything must say so
	Land   bool  `json:"land,omitempty"`   // who has nothing under way says what is over
	Hold   int64 `json:"hold,omitempty"`

	Term int64 `json:"tm,omitempty"`   // what is pushed and recalled are allotments of it
	Fair int64 `json:"fair,omitempty"` // no more is for one that could need more,
	Rank int64 `json:"rank,omitempty"` // and for one whose requests have a lower priority,
	Low  int64 `json:"low,omitempty"`  // this

	Push   map[string]push  `json:"push,omitempty"` // by member
	Inc    string           `json:"inc,omitempty"`  // with it, as in a reply
	Ver    int64            `json:"ver,omitempty"`
	Fleet  int64            `json:"f,omitempty"`
	Left   int64            `json:"left,omitempty"`
	Bounds map[string]int64 `json:"cs,omitempty"`
}

// any reports whether there is anything to tell.
func (n *news) any() bool {
	return n.Credit || n.Recall || n.Roll || n.Land || n.Hold > 0 || n.Push != nil
}
