// Package names reads the names of header fields: what a field tells of a window, which window
// that is, and what the window counts.
package names

import "time"

// Role is what a field tells of a window.
type Role uint8

// The roles of fields.
const (
	RoleNone      Role = iota // says nothing about limits
	RoleLimit                 // how much the window allows
	RoleRemaining             // how much is left
	RoleUsed                  // how much is spent
	RoleReset                 // when the window opens again
	RoleLength                // how long the window is
	RolePolicy                // limits and lengths, one member a window
	RoleStem                  // the stem alone: a limit, or everything in one value
	RolePair                  // used/limit in one value; anything else is not about limits
	RoleRetry                 // when to come back
	RoleBackoff               // when to come back, meant also on a success
	RoleDelay                 // how long the server held the answer back; makes RoleRetry meant on a success
	RoleName                  // what the unnamed window is called
	RoleScope                 // whom or what the unnamed window counts
	RoleKind                  // free text that may hold the length of the unnamed window
	RoleCost                  // what this request cost
	RoleBurst                 // how much the bucket holds: the limit, if no other is told
	RoleUnit                  // what the windows of the family count, or their period
	RolePacked                // a notation of its own, as Packed tells
	RoleDate                  // Date
	RoleAge                   // Age
	RoleCache                 // a cache's word on whether it answered
	RoleCode                  // an error code
)

// PackedKind is a notation that holds everything in one value.
type PackedKind uint8

// The notations of packed values.
const (
	PackedMeta     PackedKind = iota + 1 // JSON of Meta's usage
	PackedSentry                         // Sentry's limits by category
	PackedYandex                         // Yandex's units
	PackedServices                       // EPO's services
)

// Field is what the name of a header field means. It is immutable.
type Field struct {
	Role   Role
	Name   string        // as the response spells it
	Family string        // the name up to its stem: fields of one family belong together
	Key    string        // which window of the family; "" for the unnamed one
	Label  string        // the name for people, made of scope and key; "" for the unnamed one
	Length time.Duration // the window's period, where the name tells it
	Unit   string        // what is counted, where the name tells it
	Step   time.Duration // the unit of a plain number of time; 0 when the name does not tell
	Strict bool          // a plain number behind this name means nothing, or nothing by itself
	Weak   bool          // counts only beside others of the same name: a limit; in WeakFamily limit, rest and reset or use
	Sum    bool          // use and rest add up to the limit
	TTL    bool          // a reset called ttl, which is the period where another field tells the reset
	Full   float64       // for a use that is a share: what all of it is (100 or 1); 0 for a count
	Packed PackedKind    // of RolePacked
}

var noField = &Field{}

// MaxName bounds the names that are looked at. The longest in use has 54 bytes.
const MaxName = 128
