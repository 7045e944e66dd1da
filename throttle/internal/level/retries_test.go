package level_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A client that just retries is refused four of ten times, and reaches what servers give by
// it. The rule stays near that, or near the limit where debts are forgotten.
func TestRetriesReachHardlyMore(t *testing.T) {
	if chance.Raced {
		t.Skip("a simulation has one goroutine")
	}
	t.Parallel()
	below, sum := 0, 0.0
	for seed := range *servers {
		c := random(uint64(seed + 1))
		plain := run(c, func(c scenario) client { return retry{rand.New(rand.NewPCG(c.seed, 1))} })
		ours := run(c, newOurs)
		ratio := ours.charged / min(plain.charged, c.limit*(1-c.others)*float64(c.minutes+1))
		sum += min(ratio, 1)
		if ratio < 0.9 {
			below++
			t.Logf("%.2f of what retries reach, %.1f %% refused and not %.1f %%: %v", ratio, ours.refusedShare(), plain.refusedShare(), c)
		}
	}
	n := float64(*servers)
	t.Logf("below nine tenths on %d of %d servers, %.3f in the mean", below, *servers, sum/n)
	assert.LessOrEqual(t, float64(below), 0.1*n)
	assert.GreaterOrEqual(t, sum/n, 0.965)
}

// Where responses are streamed and no header tells what the server gave back at their end, it is spent all the
// same, once requests that went for it were served.
func TestWhatStreamsGiveBackIsSpent(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		c := chat()
		c.seed, c.charging, c.kind, c.pool, c.stream = seed+1, ratemodel.ChargeRefund, "fixed", ratemodel.NewFixedPool, true
		c.callers, c.mean, c.most, c.minutes = 24, 2700, 10_800, 8
		plain := run(c, func(c scenario) client { return retry{rand.New(rand.NewPCG(c.seed, 1))} })
		ours := run(c, newOurs)
		t.Logf("%.2f of what retries reach, refused %d and not %d", ours.charged/plain.charged, ours.refused, plain.refused)
		assert.GreaterOrEqual(t, ours.charged, 0.75*plain.charged)
		assert.LessOrEqual(t, ours.refused, plain.refused/4)
	}
}

// Where nothing bounds a response, how much more a server held than it took is not known: what it gave back may be
// enough.
func TestRefundsOfUnboundedResponsesAreAskedFor(t *testing.T) {
	t.Parallel()
	if chance.Raced {
		t.Skip("the figures take too long")
	}
	for seed := range uint64(20) {
		sc := chat()
		sc.stream, sc.hideMax, sc.charging, sc.seed = true, true, ratemodel.ChargeRefund, seed
		sc.limit, sc.mean, sc.most = 30_000, 600, 2400
		best, ours := run(sc, clients[4].make), run(sc, newOurs)
		assert.Greater(t, ours.charged/best.charged, 0.95, "seed %d", seed)
		assert.Less(t, ours.refusedShare(), 6., "seed %d", seed)
	}
}
