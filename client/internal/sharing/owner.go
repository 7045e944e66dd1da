package sharing

import (
	"hash/maphash"
	"net/http"
	"strings"
)

// OwnerOf identifies whose data a request asks for, or what is to be done, as it says in a parameter of the
// query, such as account_id=4711 or method=search, or in header fields, such as X-Tenant-Id; 0 if it
// does not say. An API may count the requests of each apart.
func OwnerOf(req *http.Request) (id uint64) {
	if req.URL.RawQuery != "" {
		if owner := ownerIn(req.URL.RawQuery); owner != "" {
			id = maphash.String(seed, owner)
		}
	}
	for name, values := range req.Header {
		if len(values) > 0 && isOwnerField(name) {
			id += maphash.String(seed, name) ^ maphash.String(seed, values[0])
		}
	}
	return id
}

// ownerIn returns the parameter of a query that says so, name and value, or "" if there is none.
func ownerIn(query string) string {
	for query != "" {
		var parameter string
		parameter, query, _ = strings.Cut(query, "&")
		if name, _, ok := strings.Cut(parameter, "="); ok && isOwner(name) {
			return parameter
		}
	}
	return ""
}

// isOwnerField reports whether a header field says whose data is asked for: Tenant, X-Account-Id,
// Stripe-Account, OpenAI-Organization.
func isOwnerField(name string) bool {
	name = strings.TrimSuffix(name, "-Id")
	switch name[strings.LastIndexByte(name, '-')+1:] {
	case "Account", "Customer", "Merchant", "Org", "Organisation", "Organization", "Project", "Shop", "Site", "Store", "Team", "Tenant",
		"User", "Username", "Workspace":
		return true
	}
	return false
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
