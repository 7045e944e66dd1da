package client

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// Forget drops what is believed of the limits of the key that req would spend the quota
// of, whatever the route: what responses announced, the waits that they asked for, and
// what refusals taught. Requests that wait for it are asked again at once; like at the
// beginning, one goes first. It is of use when the program knows what the client cannot
// see yet, such as a new token below it, or another plan. Rules, priorities and requests
// under way are not touched.
func (t *Transport) Forget(req *http.Request) {
	c := callOf(req)
	who := t.account(req, &c)
	t.line.Update(who.key, func(now time.Time, own limit.Limiter) { own.(*learned).forget(now) })
}

// forget drops what is believed. Attempts under way keep the limiters that they obeyed.
func (l *learned) forget(now time.Time) {
	l.whole = newThrottle(l.policy, now)
	l.shown, l.method, l.path = fingerprint{}, "", ""
	l.routes, l.limits, l.shapes = nil, nil, nil
	l.flying, l.stray, l.before, l.patience = 0, 0, nil, time.Time{}
	l.spread, l.cooldowns = spread{}, nil
	l.counters = nil
	l.epoch++
}

// late takes in the outcome of an attempt that was sent before its key was forgotten. What
// its response says is about a time of which nothing is believed.
func (l *learned) late(a *attempt) bool { return a.epoch != l.epoch }
