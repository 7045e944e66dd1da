package header

import (
	"slices"
	"time"
)

// concurrent is the unit of limits on requests in flight.
const concurrent = "concurrent-requests"

// role decides what the field tells.
func (n *nameParts) role() role {
	has := func(kind wordKind) bool { return n.has[kind] > 0 }
	if n.stem && n.costs > 0 && n.costs == n.has[wordDecoy] && (has(wordRemaining) || has(wordLimit)) {
		n.has[wordDecoy] = 0 // X-RateLimit-Remaining-Cost is a window, X-RateLimit-Cost is none
		n.key = append(n.key, "cost")
	}
	switch {
	case n.costs > 0 && n.costs == n.has[wordDecoy] && n.has[wordUnit] == len(n.key) && n.unit != "tokens" && n.unit != "credits":
		return roleCost // X-Request-Cost
	case has(wordDecoy), has(wordStatus) && n.behind != wordStatus:
		return roleNone
	case has(wordRetry):
		if n.stem || has(wordDelta) {
			return roleRetry
		}
		return roleNone
	case !n.stem:
		return n.stemless()
	case has(wordRemaining) && has(wordTime):
		return roleReset // Remaining-Seconds is time left, not quota left
	case has(wordRemaining) && has(wordAt), has(wordWait), has(wordNext) && !has(wordReset):
		return roleRetry
	case has(wordReset):
		return n.reset()
	case has(wordRunning) && n.unit == concurrent:
		return roleUsed
	case has(wordRemaining), n.behind == wordStatus:
		return roleRemaining
	case has(wordUsed), has(wordPercent), has(wordShare):
		return roleUsed
	case has(wordLength):
		return roleLength
	case has(wordPolicy):
		return rolePolicy
	case has(wordLimit):
		return roleLimit
	case has(wordMax):
		return roleLimit
	case has(wordAvailable):
		return roleRemaining
	case has(wordCount):
		return roleUsed
	}
	return n.stemOnly()
}

// stemOnly decides for names that have only a stem and words that name something.
func (n *nameParts) stemOnly() role {
	if len(n.key) == 0 {
		return roleStem
	}
	if n.has[wordUnit] == len(n.key) && n.key[0] == "request" {
		n.key = nil // X-RateLimit-Request counts them
		return roleUsed
	}
	// A last word such as scope is the role, and so no part of the window's name.
	last := len(n.key) - 1
	switch dictionary[n.key[last]].kind {
	case wordQuota:
		n.key = n.key[:last]
		return roleLimit
	case wordName:
		n.key = n.key[:last]
		return roleName
	case wordScope:
		n.key = n.key[:last]
		return roleScope
	case wordType:
		n.key = n.key[:last]
		return roleKind
	case wordFlag:
		return roleNone // X-RateLimit-Global: true
	}
	return roleStem
}

// reset settles the unit of a reset: after and in make a bare number a delay.
func (n *nameParts) reset() role {
	if n.step == 0 && n.has[wordDelta] > 0 {
		n.step = time.Second
	}
	return roleReset
}

// stemless decides for names without "ratelimit" in them. It asks for more:
// besides the role a word that says that requests, or something else that
// comes in periods, are what is limited.
func (n *nameParts) stemless() role {
	has := func(kind wordKind) bool { return n.has[kind] > 0 }
	plan := has(wordQuota) || slices.Contains(n.key, "qps")
	counted := plan || has(wordUnit) || has(wordPeriod)
	switch {
	case has(wordBlock), has(wordAt) && !has(wordReset), has(wordPolicy), has(wordWait):
		return roleNone
	case has(wordRunning) && n.unit == concurrent:
		return roleUsed
	case n.last == wordType && has(wordQuota):
		n.key = n.key[:len(n.key)-1]
		return roleKind
	case has(wordReset) && (counted || has(wordLimit) || has(wordUsed)):
		return n.reset()
	case has(wordRemaining) && (counted || has(wordLimit)), n.behind == wordStatus:
		return roleRemaining
	case has(wordUsed) && n.last == wordLimit:
		return roleLimit // X-Usage-Limit
	case has(wordUsed) && (counted || has(wordLimit) || has(wordCount) || n.has[wordUsed] > 1):
		return roleUsed
	case n.has[wordLimit] > 1, has(wordLimit) && (counted || has(wordMax)):
		return roleLimit
	case has(wordLimit):
		return rolePair
	case has(wordAvailable) && counted:
		return roleRemaining
	case has(wordMax) && n.unit == concurrent:
		return roleLimit
	case has(wordCount) && (plan || n.unit == concurrent):
		return roleUsed
	case has(wordReset):
		return n.weaken(n.reset())
	case has(wordRemaining):
		return n.weaken(roleRemaining)
	case has(wordUsed) && slices.Contains(n.key, "api"):
		return n.weaken(roleUsed)
	case n.unit == concurrent && n.has[wordUnit] == len(n.key), has(wordMax) && has(wordUnit),
		has(wordUnit) && has(wordPeriod) && len(n.key) == n.has[wordUnit]+n.has[wordPeriod], has(wordQuota) && len(n.key) == 1:
		return roleStem // a limit beside a rest or a use of the same name: X-Concurrent-Threads, X-Credits-Total
	}
	return roleNone
}

// weaken is for a role that a name has only beside others of its kind: an X-Acme-Remaining
// may count anything, but beside X-Acme-Limit and X-Acme-Reset it counts requests.
func (n *nameParts) weaken(r role) role {
	n.weak, n.family = true, weakFamily
	return r
}

// weakFamily is the family of the fields that are weak.
const weakFamily = "?"
