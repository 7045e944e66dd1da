package sharing

import (
	"time"

	"github.com/forbear-go/forbear/throttle/header"
)

// closings compares what becomes of the requests of the other keys of a host while one is refused, where no
// counter is told. If they spend the same limit, all are refused until it opens; if each has one of its own, some are
// served. Only what ends when the server said counts: small limits of their own are soon used up all. Those explain that a key
// is refused only if it was served about as much before as ever; that has to be seen otherwise.
type closings struct {
	refused *Key          // whose request began the last
	since   time.Time     // others that are sent come to the server after it
	until   time.Time     // requests may be served again
	ends    time.Time     // they are, as the server said
	kept    bool          // so they were
	others  [2]*Key       // the first that were refused since
	served  bool          // one was served
	tested  bool          // one was sent
	longest time.Duration // wait that was named, or twice as long as a key was refused in a row
	foreign int           // keys that were refused and that no limit of their own explains
	shown   keysFit       // closings
	rest    int           // of them until the next test; see MayTest
	gap     int           // between two tests
}

const (
	closingsEnough  = 5 // closings that show that keys share a limit,
	closingsSure    = 4 // so many times as many as show that they do not
	closingsForeign = 2 // keys that no limit of their own explains show it
	closingsApart   = 8 // closings that show that they do not, once they were joined,
	closingsKept    = 32
	closingsRest    = 16 // between two tests, at most
	// closingSlack is the part of a round trip by which a request may be overtaken.
	closingSlack = 8
)

// concerns reports whether a request that a key sends at a time tells something of the last closing.
func (c *closings) concerns(sent time.Time, key *Key) bool {
	return key != c.refused && sent.After(c.since) && sent.Before(c.until)
}

// witness takes in what became of a request. Where the end is only known to the second, or not at all, the first round trip counts,
// and half of it once the keys are joined: their common pace is refused shortly before the limit opens.
func (k *Keys) witness(now, sent time.Time, key *Key, refused bool, wait header.Wait) {
	c := &k.closings
	switch since := key.recent.refused; {
	case !refused:
		key.recent.serve(sent, c.longest)
	case since.IsZero():
		key.recent.refused = sent
	case !wait.Known():
		c.longest = max(c.longest, 2*sent.Sub(since))
	}
	switch {
	case c.concerns(sent, key) && refused:
		c.note(sent, key)
	case c.concerns(sent, key) && !c.served:
		c.served = true
		c.shown.bad++
	case !sent.After(c.ends):
	case !refused:
		c.kept = true
	case wait.Known() || c.kept || c.refused == nil:
		c.end()
		c.longest = max(c.longest, wait.Delay)
		trip := now.Sub(sent)
		least := trip
		if k.joined {
			least /= 2
		}
		c.ends = sent.Add(max(wait.Delay, least))
		c.refused, c.since, c.until = key, sent.Add(trip/closingSlack), sent.Add(max(wait.Delay-wait.Resolution, least))
	}
}

// note notes that a key was refused since.
func (c *closings) note(sent time.Time, key *Key) {
	if c.others[1] == nil && c.others[0] != key && key.recent.few(sent, c.longest) {
		c.foreign++
	}
	switch {
	case c.others[0] == nil:
		c.others[0] = key
	case c.others[0] != key:
		c.others[1] = key
	}
}

// end judges the last closing. Two keys that are refused say twice as much as one.
func (c *closings) end() {
	switch {
	case c.served:
		c.gap = 0
	case !c.kept:
	case c.others[1] != nil:
		c.shown.good++
		fallthrough
	case c.others[0] != nil:
		c.shown.good++
		c.gap = min(2*c.gap+1, closingsRest)
	}
	if c.rest--; c.others[0] != nil || c.rest < 0 {
		c.rest = c.gap
	}
	c.others, c.served, c.tested, c.kept = [2]*Key{}, false, false, false
}

// MayTest reports whether a request that a key sends now should go although another key was refused, to see whether keys that
// were joined still spend one limit.
func (k *Keys) MayTest(now time.Time, key *Key) bool {
	return k.joined && !k.told && !k.tested && k.rest <= 0 && k.concerns(now, key)
}

// conclude joins the keys or parts them, as closings show.
func (k *Keys) conclude() (changed bool) {
	f := &k.shown
	switch {
	case k.joined && f.bad >= closingsApart && f.bad >= closingsSure*f.good:
		k.part()
		return true
	case !k.joined && f.good >= closingsEnough<<k.vain && f.good >= closingsSure*f.bad && k.foreign >= closingsForeign:
		k.joined, changed = true, true
		*f, k.gap, k.rest, k.foreign = keysFit{}, 0, 0, 0
	}
	if f.good+f.bad > closingsKept<<k.vain {
		f.good, f.bad = f.good/2, f.bad/2
	}
	return changed
}

// recentMost is more than a small limit of a key, which is soon used up, serves in two windows.
const recentMost = 7

// A recent holds when the last requests of a key were sent that were served.
type recent struct {
	sent [recentMost]time.Time
	all  int
	most int // in the longest wait

	refused time.Time // when the first was sent that was refused since the last was served
}

// serve takes in that a request was served.
func (r *recent) serve(sent time.Time, length time.Duration) {
	r.refused = time.Time{}
	r.sent[r.all%recentMost] = sent
	r.all++
	r.most = max(r.most, r.count(sent, length))
}

// count returns how many were served within such a time before at.
func (r *recent) count(at time.Time, length time.Duration) (n int) {
	for _, sent := range r.sent {
		if at.Sub(sent) < length {
			n++
		}
	}
	return n
}

// few reports whether so few were served lately that no small limit of the key explains that it is refused at the given time: of
// one, all of a window are, and of two at the most.
func (r *recent) few(at time.Time, length time.Duration) bool {
	return r.most == recentMost || 2*r.count(at, length) < r.most
}
