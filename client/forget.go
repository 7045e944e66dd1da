package client

import (
	"net/http"
	"time"

	"github.com/forbear-go/forbear/throttle/limit"
)

// Forget discards what is known of the limits of req's key, on all routes: the limits that
// responses announced, the waits that they asked for, and the limits learned from
// refusals. Requests of the key that wait are reconsidered at once; as after a start, one
// goes first. Use Forget when the program knows something that the client cannot see yet,
// such as a token renewed below the client, or a new plan. It does not affect rules,
// priorities and requests in flight.
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
