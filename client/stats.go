package client

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/throttle/limit"
)

// Retries returns how many retries were granted after failures and refusals, and why others
// were not.
func (t *Transport) Retries() backoff.Stats { return t.strategy.Stats() }

// Budget returns the state of the retry budget of req's key. Without [WithRetryBudget] the
// budget is unlimited and counts nothing.
func (t *Transport) Budget(req *http.Request) backoff.BudgetStats {
	return t.learned(req).budget.Stats(time.Now())
}

// Breaker returns the breaker of req's key, or nil if there is none. To get the state of
// a breaker of package breaker:
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
