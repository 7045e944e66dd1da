package names

import (
	"slices"
	"time"
)

// bans are the words for what is done to a client that sends too many requests.
var bans = []string{"throttled", "blocked", "banned", "penalty", "suspended", "locked"}

// concurrent is the unit of limits on requests in flight.
const concurrent = "concurrent-requests"

// Role decides what the field tells.
func (n *nameParts) role() Role {
	has := func(kind WordKind) bool { return n.has[kind] > 0 }
	if n.stem && n.costs > 0 && n.costs == n.has[wordDecoy] && (has(wordRemaining) || has(WordLimit)) {
		n.has[wordDecoy] = 0 // X-RateLimit-Remaining-Cost is a window, X-RateLimit-Cost is none
		n.key = append(n.key, "cost")
	}
	switch {
	case n.costs > 0 && n.costs == n.has[wordDecoy] && n.has[WordUnit] == len(n.key) && n.unit != "tokens" && n.unit != "credits":
		return RoleCost // X-Request-Cost
	case n.costs > 0 && n.costs == n.has[wordDecoy] && n.stem && !has(WordLimit) && !has(wordRemaining) && !has(wordReset):
		return RoleCost // X-RateLimit-Method-Cost
	case n.costs == 1 && !n.stem && len(n.key) == 1 && n.has[wordFree] == 1 && n.has[wordDecoy] == 1 && n.has[wordMax] == 0:
		n.weak = true // X-Acme-Cost: a whole number may be it, a price is not
		return RoleCost
	case has(wordDecoy):
		return RoleNone
	case has(wordStatus) && n.behind != wordStatus:
		if n.stem && n.last == wordStatus && len(n.key) == 0 {
			n.packed = true
			return RoleStem // X-RateLimit-Status: limit=100, remaining=99
		}
		return RoleNone
	case has(wordRetry):
		if n.stem || has(wordDelta) || has(wordAt) && len(n.key) == 0 {
			return RoleRetry
		}
		return RoleNone
	case has(wordPause) && (n.stem || len(n.key) == 0):
		return RoleRetry // X-Backoff-Time, X-RateLimit-Cooldown
	case n.until && len(n.key) == 1 && slices.Contains(bans, n.key[0]):
		return RoleRetry // X-Blocked-Until
	case !n.stem:
		return n.stemless()
	case has(wordRemaining) && has(wordTime):
		return RoleReset // Remaining-Seconds is time left, not quota left
	case has(wordRemaining) && has(wordAt), has(wordWait), has(wordNext) && !has(wordReset),
		has(wordAvailable) && (has(wordDelta) || has(wordAt)) && !has(wordReset) && !has(wordLength):
		return RoleRetry
	case has(wordReset):
		return n.reset()
	case has(wordRunning) && n.unit == concurrent:
		return RoleUsed
	case has(wordRemaining), n.behind == wordStatus:
		return RoleRemaining
	case has(wordUsed), has(wordPercent), has(wordShare):
		return RoleUsed
	case has(wordLength):
		return RoleLength
	case has(wordPolicy):
		return RolePolicy
	case has(WordLimit), has(wordMax):
		return RoleLimit
	case has(wordAvailable):
		return RoleRemaining
	case has(wordCount):
		return RoleUsed
	}
	return n.stemOnly()
}

// stemOnly decides for names that have only a stem and words that name something.
func (n *nameParts) stemOnly() Role {
	if len(n.key) == 0 {
		if n.has[WordFiller] > 0 && n.lastWord == "per" {
			return RoleLength // X-RateLimit-Per: minute
		}
		return RoleStem
	}
	if n.has[WordUnit] == len(n.key) && n.key[0] == "request" {
		n.key = nil // X-RateLimit-Request counts them
		return RoleUsed
	}
	if len(n.key) == 1 {
		switch n.key[0] {
		case "unit":
			n.key, n.unit = nil, ""
			return RoleUnit // X-RateLimit-Unit: tokens
		case "burst":
			n.key = nil
			return RoleBurst // X-RateLimit-Burst: 200
		case "info":
			n.key, n.packed = nil, true
			return RoleStem // X-RateLimit-Info: limit=100, remaining=99
		}
	}
	// A last word such as scope is the role, and so no part of the window's name.
	last := len(n.key) - 1
	switch Dictionary[n.key[last]].Kind {
	case WordQuota:
		n.key = n.key[:last]
		return RoleLimit
	case wordName:
		n.key = n.key[:last]
		return RoleName
	case wordScope:
		n.key = n.key[:last]
		return RoleScope
	case wordType:
		n.key = n.key[:last]
		return RoleKind
	case wordFlag:
		return RoleNone // X-RateLimit-Global: true
	}
	return RoleStem
}

// reset settles the unit of a reset: after and in make a bare number a delay.
func (n *nameParts) reset() Role {
	if n.step == 0 && n.has[wordDelta] > 0 {
		n.step = time.Second
	}
	return RoleReset
}

// stemless decides for names without "ratelimit" in them. It asks for more:
// besides the role a word that says that requests, or something else that
// comes in periods, are what is limited.
func (n *nameParts) stemless() Role {
	has := func(kind WordKind) bool { return n.has[kind] > 0 }
	plan := has(WordQuota) || slices.Contains(n.key, "qps") || slices.Contains(n.key, "api")
	counted := plan || has(WordUnit) || has(WordPeriod)
	onlyUsed := has(wordUsed) && !has(WordLimit) && !has(wordRemaining)
	switch {
	case has(wordAt) && has(WordQuota) && n.last == WordUnit && n.key[len(n.key)-1] == "unit":
		n.key, n.unit = n.key[:len(n.key)-1], ""
		return RoleUnit // X-Quota-Time-Unit: day
	case n.useLimit:
		return RoleUsed // Api-Key-Use-Limit
	case onlyUsed && n.usedByOne():
		return RoleCost // X-Call-Credit-Usage, X-Request-Tokens-Used
	case onlyUsed && n.unit == "tokens" && !has(WordPeriod) && n.usesTokens():
		return RoleNone // X-Token-Usage-Input: what this response took
	case has(wordBlock), has(wordAt) && !has(wordReset), has(wordPolicy), has(wordWait):
		return RoleNone
	case has(wordRunning) && n.unit == concurrent:
		return RoleUsed
	case n.last == wordType && has(WordQuota):
		n.key = n.key[:len(n.key)-1]
		return RoleKind
	case has(wordReset) && (counted || has(WordLimit) || has(wordUsed)):
		return n.reset()
	case has(wordLength) && has(WordQuota) && !has(wordRemaining) && !has(wordUsed) && !has(WordLimit):
		return RoleLength // X-Quota-Window: day
	case has(wordRemaining) && (counted || has(WordLimit)), n.behind == wordStatus:
		return RoleRemaining
	case has(wordRemaining) && has(wordUsed):
		n.weak = true // X-Usage-Remaining says something beside X-Usage-Limit
		return RoleRemaining
	case has(WordLimit) && n.last == wordTime && !has(wordLength):
		n.length, n.step = n.step, 0
		return RoleLimit // X-Limit-Minutes
	case has(wordUsed) && n.told == WordLimit:
		return RoleLimit // X-Usage-Limit
	case has(wordUsed) && (counted || has(WordLimit) || has(wordCount) || n.has[wordUsed] > 1):
		return RoleUsed
	case n.has[WordLimit] > 1, has(WordLimit) && (counted || has(wordMax)):
		return RoleLimit
	case has(WordLimit):
		return RolePair
	case has(wordAvailable) && counted:
		return RoleRemaining
	case has(wordMax) && n.unit == concurrent:
		return RoleLimit
	case has(wordCount) && (plan || n.unit == concurrent):
		return RoleUsed
	}
	return n.bare(has)
}

// bare decides for what is left: names that say little more than their role.
func (n *nameParts) bare(has func(WordKind) bool) Role {
	switch {
	case has(wordReset):
		return n.weaken(n.reset())
	case has(wordRemaining):
		return n.weaken(RoleRemaining)
	case has(wordUsed) && slices.Contains(n.key, "api"):
		return n.weaken(RoleUsed)
	case has(WordQuota) && has(WordPeriod) && n.has[WordQuota]+n.has[WordPeriod] == len(n.key):
		return RoleLimit // X-Monthly-Quota
	case n.unit == concurrent && n.has[WordUnit] == len(n.key), has(wordMax) && (has(WordUnit) || has(WordQuota)),
		has(WordUnit) && has(WordPeriod) && len(n.key) == n.has[WordUnit]+n.has[WordPeriod], has(WordQuota) && len(n.key) == 1:
		return RoleStem // a limit beside a rest or a use of the same name: X-Concurrent-Threads, X-Credits-Total
	}
	return RoleNone
}

// weaken is for a role that a name has only beside others of its kind: an X-Acme-Remaining
// may count anything, but beside X-Acme-Limit and X-Acme-Reset it counts requests.
func (n *nameParts) weaken(r Role) Role {
	n.weak, n.family = true, WeakFamily
	return r
}

// WeakFamily is the family of the fields that are weak.
const WeakFamily = "?"

// usesTokens reports whether a name speaks of the tokens that one response took: of its
// input, of its output, or of both.
func (n *nameParts) usesTokens() bool {
	for _, w := range n.key {
		switch w {
		case "input", "output", "prompt", "completion":
			return true
		}
	}
	return n.lastWord == "total"
}

// usedByOne reports whether a name speaks of what one request used of something else: the
// singular of request or call stands before another unit.
func (n *nameParts) usedByOne() bool {
	for i, w := range n.key[:max(len(n.key)-1, 0)] {
		if (w == "request" || w == "call") && Dictionary[n.key[i+1]].Kind == WordUnit {
			return true
		}
	}
	return false
}
