package header

import "time"

// role is what a field tells of a window.
type role uint8

const (
	roleNone      role = iota // says nothing about limits
	roleLimit                 // how much the window allows
	roleRemaining             // how much is left
	roleUsed                  // how much is spent
	roleReset                 // when the window opens again
	roleLength                // how long the window is
	rolePolicy                // limits and lengths, one member a window
	roleStem                  // the stem alone: a limit, or everything in one value
	rolePair                  // used/limit in one value; anything else is not about limits
	roleRetry                 // when to come back
	roleBackoff               // when to come back, meant also on a success
	roleDelay                 // how long the server held the answer back; makes roleRetry meant on a success
	roleName                  // what the unnamed window is called
	roleScope                 // whom or what the unnamed window counts
	roleKind                  // free text that may hold the length of the unnamed window
	roleCost                  // what this request cost
	rolePacked                // a notation of its own, read by field.read
	roleDate                  // Date
	roleAge                   // Age
	roleCache                 // a cache's word on whether it answered
	roleCode                  // an error code
)

// packedKind is a notation that holds everything in one value.
type packedKind uint8

// The notations of packed values.
const (
	packedMeta     packedKind = iota + 1 // JSON of Meta's usage
	packedSentry                         // Sentry's limits by category
	packedYandex                         // Yandex's units
	packedServices                       // EPO's services
)

// field is what the name of a header field means. It is immutable.
type field struct {
	role   role
	name   string        // as the response spells it
	family string        // the name up to its stem: fields of one family belong together
	key    string        // which window of the family; "" for the unnamed one
	label  string        // the name for people, made of scope and key; "" for the unnamed one
	length time.Duration // the window's period, where the name tells it
	unit   string        // what is counted, where the name tells it
	step   time.Duration // the unit of a plain number of time; 0 when the name does not tell
	strict bool          // a plain number behind this name means nothing, or nothing by itself
	weak   bool          // counts only where limit, rest and reset of the same name come together
	sum    bool          // use and rest add up to the limit
	full   float64       // for a use that is a share: what all of it is (100 or 1); 0 for a count
	packed packedKind    // of rolePacked
}

var noField = &field{}

// maxName bounds the names that are looked at. The longest in use has 54 bytes.
const maxName = 128
