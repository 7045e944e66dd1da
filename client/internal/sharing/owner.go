package sharing

import "strings"

// OwnerOf returns the parameter of a query that says whose data is asked for, or what is to be done, name and
// value, such as account_id=4711 or method=search, or "" if there is none. An API may count the
// requests of each apart.
func OwnerOf(query string) string {
	for query != "" {
		var parameter string
		parameter, query, _ = strings.Cut(query, "&")
		if name, _, ok := strings.Cut(parameter, "="); ok && isOwner(name) {
			return parameter
		}
	}
	return ""
}

// isOwner reports whether a parameter's name is one of an owner: user, accountId, shop_id, but not
// since_id.
func isOwner(name string) bool {
	if len(name) > maxOwner {
		return false
	}
	var room [maxOwner]byte
	lower := room[:0]
	for i := range len(name) {
		c := name[i]
		if c-'A' < 26 {
			c |= 0x20
		}
		lower = append(lower, c)
	}
	if owners[string(lower)] {
		return true
	}
	rest, ok := strings.CutSuffix(string(lower), "id")
	return ok && !positions[strings.TrimRight(rest, "_-.")]
}

const maxOwner = 32

var (
	owners = setOf("account", "user", "username", "tenant", "shop", "store", "project", "org", "organization", "team", "workspace", "customer",
		"merchant", "channel", "region", "site", "app", "owner", "author", "symbol", "market",
		"method", "action", "function", "operation", "resource", "endpoint", "service", "type", "kind", "category", "model")
	// positions are what the names of ids begin with that say where a list goes on, or that differ with each
	// request.
	positions = setOf("since", "max", "min", "after", "before", "last", "first", "next", "prev", "start", "end", "from", "until", "page", "cursor",
		"request", "trace", "span", "correlation", "message", "event", "transaction", "gu", "uu", "pa", "val", "gr", "inval")
)

func setOf(words ...string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}
