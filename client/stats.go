package client

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/throttle/limit"
)

// Retries counts what was decided after failures and refusals: how many retries were
// granted, and why others were not.
func (t *Transport) Retries() backoff.Stats { return t.strategy.Stats() }

// Budget returns the retry budget of the key that req would spend the quota of. Without
// [WithRetryBudget] it is without bound, and counts nothing.
func (t *Transport) Budget(req *http.Request) backoff.BudgetStats {
	return t.learned(req).budget.Stats(time.Now())
}

// Breaker returns the breaker of the key that req would spend the quota of, or nil if
// there is none. That of package breaker tells its state:
//
//	t.Breaker(req).(*breaker.Breaker).Stats()
func (t *Transport) Breaker(req *http.Request) backoff.Breaker {
	if t.newBreaker == nil {
		return nil
	}
	return t.learned(req).breaker()
}

// learned returns what is known of the key of a request.
func (t *Transport) learned(req *http.Request) (l *learned) {
	c := callOf(req)
	who := t.account(req, &c)
	t.line.Update(who.key, func(_ time.Time, own limit.Limiter) { l = own.(*learned) })
	return l
}
