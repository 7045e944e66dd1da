package client

import (
	"crypto/sha256"
	"hash/maphash"
	"net/http"
	"sync/atomic"

	"github.com/forbear-go/forbear/throttle/header"
)

// An account is what requests with one key have in common.
type account struct {
	sum    uint64         // of who spends; it means nothing outside of this process
	key    string         // the hash of who spends
	reader *header.Reader // of the responses of its host
}

// accounts remembers the last ones, so that a request costs no slow hash.
type accounts struct {
	slots [256]atomic.Pointer[account]
}

// accountSeed makes sums that nobody can choose.
var accountSeed = maphash.MakeSeed()

// account returns whose quota a request spends.
func (t *Transport) account(req *http.Request, c *call) *account {
	var room [256]byte
	text := room[:0]
	switch {
	case c.keyed:
		text = appendTold(text, hostOf(req.URL), c.key)
	case t.keyOf != nil:
		text = appendTold(text, hostOf(req.URL), t.told(req))
	default:
		text = appendDefault(text, req)
	}
	sum := maphash.Bytes(accountSeed, text)
	slot := &t.accounts.slots[sum%uint64(len(t.accounts.slots))]
	if known := slot.Load(); known != nil && known.sum == sum {
		return known
	}
	hash := sha256.Sum256(text)
	known := &account{sum: sum, key: string(hash[:]), reader: t.readers.of(req.URL)}
	slot.Store(known)
	return known
}

// told returns who spends by the caller's function, which may panic.
func (t *Transport) told(req *http.Request) (key string) {
	told := false
	defer func() {
		if !told {
			closeBody(req)
		}
	}()
	key = t.keyOf(req)
	told = true
	return key
}
