package harm

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

// Where servers announce limits that they do not have, whatever the fields say, a program is
// served most of what the retrying client is. A limit that counts requests is kept to, and
// this may look like one for long: so few worlds are worse.
func TestLies(t *testing.T) {
	forbear, _ := peer.Named(peer.Forbear)
	retrying, _ := peer.Named(Retrying)
	n := min(*worlds, 60)
	if raceEnabled {
		n = 5
	}
	worse := 0
	for seed := *first; seed < *first+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := lying(seed)
			theirs, ours := run(t, w, retrying, seed), run(t, w, forbear, seed)
			share := float64(ours.Served) / float64(theirs.Served)
			t.Logf("%.2f: %s", share, w.Name)
			assert.Greater(t, share, .4)
			if share < .75 {
				worse++
			}
		})
	}
	assert.LessOrEqual(t, worse, int(n/15))
}
