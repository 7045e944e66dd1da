package harm

import (
	"fmt"
	"testing"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// Where servers announce limits that they do not have, whatever the fields say, a program is
// served most of what the retrying client is. A limit that counts requests is kept to, and
// random numbers may look like one for long, or like one that others spend: so few worlds are
// worse. Without tests of what servers say, 36 of 60 are below a half.
func TestLies(t *testing.T) {
	forbear, _ := peer.Named(peer.Forbear)
	retrying, _ := peer.Named(Retrying)
	n := min(*worlds, 60)
	if chance.Raced {
		n = 1
	}
	half, most := 0, 0 // that are served so much at least
	for seed := *first; seed < *first+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := lying(seed)
			theirs, ours := run(t, w, retrying, seed), run(t, w, forbear, seed)
			share := float64(ours.Served) / float64(theirs.Served)
			t.Logf("%.2f: %s", share, w.Name)
			assert.Zero(t, ours.Refused)
			if share > .5 {
				half++
			}
			if share > .75 {
				most++
			}
		})
	}
	t.Logf("of %d, %d are served a half, and %d three quarters", n, half, most)
	assert.GreaterOrEqual(t, half, int(n)-4)
	assert.GreaterOrEqual(t, most, int(n)-12)
}
