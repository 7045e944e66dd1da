package names

import (
	"strings"
	"sync/atomic"
)

// cache remembers what names mean, since a server sends the same few with every
// response and Classify takes a microsecond. It is a cache of 256 sets of four
// entries without locks: what does not fit is classified again, so a server
// that makes up names can neither grow it nor change a reading.
var cache [256][4]atomic.Pointer[Field]

// hashName takes the length and twelve bytes of a name, which tells those of one
// server apart. A better hash would cost more than it saves.
func hashName(s string) uint64 {
	n := len(s)
	if n < 4 {
		return uint64(n)
	}
	return (uint64(n) ^ four(s[n-4:])<<8 ^ four(s[(n-4)/2:])<<16 ^ four(s)<<24) * 0x9e3779b97f4a7c15 >> 32
}

func four(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// Of returns what a name means, noField when it is not about limits.
func Of(name string) *Field {
	h := hashName(name)
	set := &cache[h%256]
	for i := range set {
		f := set[i].Load()
		if f == nil {
			break
		}
		if f.Name == name {
			return f
		}
	}
	return learnField(name, set, h)
}

// Forget empties the cache, for tests of what a server costs whose names find it so.
func Forget() {
	for i := range cache {
		for j := range cache[i] {
			cache[i][j].Store(nil)
		}
	}
}

func learnField(name string, set *[4]atomic.Pointer[Field], h uint64) *Field {
	f := Classify(name)
	if len(name) > MaxName {
		return noField
	}
	// A copy, because the name may be a slice of a whole response.
	name = strings.Clone(name)
	if f == noField {
		f = &Field{Name: name}
	} else {
		f.Name = name
	}
	for i := range set {
		if set[i].CompareAndSwap(nil, f) {
			return f
		}
	}
	set[h>>8%4].Store(f)
	return f
}
