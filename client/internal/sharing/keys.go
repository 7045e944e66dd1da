package sharing

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// Keys finds out whether the keys of a host, each of which is taken to have a limit of its own, spend
// the same one: an API may limit the account or the address, whatever the credential. Then what is left
// falls by more than the requests of one key, and by no more than those of all. The zero value has
// seen nothing. A Keys is not safe for concurrent use.
type Keys struct {
	closings

	mark    uint64 // of the limits that all keys show; see Fingerprint
	sole    *Key   // the only key that was used until now
	several bool
	all     series // of all keys
	clock   serverClock
	seen    keysFit
	told    bool // responses that were served tell a counter
	joined  bool
	vain    uint // how often keys that were joined turned out to be apart
}

// A Key is what the responses to one key of a host said. The zero value has seen nothing.
type Key struct {
	series
	mark   uint64 // of the limits that it showed last
	recent recent
}

// keysFit counts responses that show what neither a new window nor a refill explains: good ones show
// that all keys spent what is gone, and bad ones that not all did, or still others.
type keysFit struct{ good, bad int }

// A KeysSeen is what was known of a key and of all when a request was sent.
type KeysSeen struct {
	own, all count
	known    bool
}

const (
	// keysEnough is how many responses have to show that keys share a limit, or that they do not. Where many
	// requests are in flight, some show it by chance.
	keysEnough = 16 * keysSure
	// keysKept is how many are counted before the older count half.
	keysKept = 128 * keysSure
	// keysSure is how much one counts, but for those that may be of a new window.
	keysSure = 4
	// maxVain bounds by how much more it takes to join keys again that were apart.
	maxVain = 6
)

// Sent takes in that a request of a key goes, and returns what is known.
func (k *Keys) Sent(now time.Time, key *Key) KeysSeen {
	k.tested = k.tested || k.concerns(now, key)
	switch {
	case k.sole == nil:
		k.sole = key
	case k.sole != key:
		k.several = true
	}
	key.sent++
	k.all.sent++
	return KeysSeen{own: key.last, all: k.all.last, known: key.mark != 0 && key.mark == k.mark}
}

// Lost takes in that a request of a key got no response.
func (k *Keys) Lost(key *Key) {
	key.answered++
	k.all.answered++
}

// Answered takes in the response to a request of a key that was sent at sent. It reports whether the
// keys are joined or parted now.
func (k *Keys) Answered(now, sent time.Time, key *Key, was *KeysSeen, r *header.Reading) (changed bool) {
	k.Lost(key)
	if !k.several {
		return false
	}
	k.clock.observe(now, sent, r)
	said, ok := k.clock.told(now, r)
	if k.told = k.told || ok && !r.Refused; !k.told && !r.Overloaded() {
		k.witness(now, sent, key, r.Refused, r.Wait)
		changed = k.conclude()
	}
	if !ok {
		return changed
	}
	if mark := FingerprintOf(r).Mark; mark != k.mark {
		changed = changed != k.joined
		k.part()
		k.mark, k.all.last = mark, count{}
	} else if was.known && !was.all.end.IsZero() {
		k.test(sent, key, was, said, now.Sub(sent)+r.Windows[0].Reset.Resolution)
		changed = k.decide() != changed
	}
	key.mark = k.mark
	key.note(sent, said)
	k.all.note(sent, said)
	return changed
}

// told returns what a response says of its only counter of requests. If nothing was left for its own,
// that is one less than for the last that was served.
func (c *serverClock) told(now time.Time, r *header.Reading) (said count, ok bool) {
	if !r.Refused {
		said, _, ok = c.countOf(now, r, "")
		return said, ok
	}
	served := *r
	served.Refused = false
	if said, _, ok = c.countOf(now, &served, ""); said.left > 0 {
		return said, false
	}
	said.left--
	return said, ok
}

// note notes what the response to a request that was sent at sent said.
func (s *series) note(sent time.Time, said count) {
	if was := s.last; sent.Before(was.end) && said.end.Sub(was.end).Abs() <= sameEnd {
		said.left = min(said.left, was.left) // one of them was overtaken
	}
	said.answered = s.answered
	s.last = said
}

// test asks who explains what is left. A window ends up to near before it seems to.
func (k *Keys) test(sent time.Time, key *Key, was *KeysSeen, said count, near time.Duration) {
	own, all := was.own.left-said.left, was.all.left-said.left
	mine, ours := key.sent-was.own.answered, k.all.sent-was.all.answered
	switch {
	case own < 1: // a new window, or what is refilled
	case all < 1 && !sent.Before(was.own.end): // a new window
	case all < 1 && !sent.Add(near).Before(was.own.end): // perhaps
		k.seen.bad++
	case all < 1 || all > ours:
		k.seen.bad += keysSure
	case own > mine:
		k.seen.good += keysSure
	}
}

// decide joins the keys or parts them.
func (k *Keys) decide() (changed bool) {
	f := &k.seen
	switch {
	case k.joined && f.bad >= keysEnough && f.bad > 2*f.good:
		k.part()
		return true
	case !k.joined && f.good >= keysEnough<<k.vain && f.good >= 3*f.bad:
		k.joined, changed = true, true
	}
	if f.good+f.bad > keysKept<<k.vain {
		f.good, f.bad = f.good/2, f.bad/2
	}
	return changed
}

// part notes that the keys have limits of their own.
func (k *Keys) part() {
	if k.joined {
		k.vain = min(k.vain+1, maxVain)
	}
	k.joined, k.seen, k.shown = false, keysFit{}, keysFit{}
}

// Joined reports whether the keys spend the same limit.
func (k *Keys) Joined() bool { return k.joined }
