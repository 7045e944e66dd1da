package sharing

import (
	"encoding/json"
	"hash/maphash"
	"io"
	"mime"
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

// maxOwnerBody is how much of a body is searched for an owner.
const maxOwnerBody = 16 << 10

// OwnerInBody identifies whose data a request asks for as its body says, in a member of a JSON object such as chat_id, or in a form;
// 0 if it does not say. It reads the beginning of a copy that GetBody returns.
func OwnerInBody(req *http.Request) uint64 {
	if req.GetBody == nil || req.Body == nil || req.Body == http.NoBody || req.Header.Get("Content-Encoding") != "" {
		return 0
	}
	body, err := req.GetBody()
	if err != nil {
		return 0
	}
	defer func() { _ = body.Close() }() // it was only read
	text := io.LimitReader(body, maxOwnerBody)
	var owner string
	switch kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type")); {
	case kind == "application/x-www-form-urlencoded":
		form, _ := io.ReadAll(text) // what there is of it
		owner = ownerIn(string(form))
	case kind == "" || kind == "application/json" || strings.HasSuffix(kind, "+json"):
		owner = ownerInJSON(text)
	}
	if owner == "" {
		return 0
	}
	return maphash.String(seed, owner)
}

// ownerInJSON returns the first member of an object that says so, or "" if there is none. One that names an action or a kind counts
// only where no other does.
func ownerInJSON(text io.Reader) (owner string) {
	d := json.NewDecoder(text)
	d.UseNumber()
	if t, _ := d.Token(); t != json.Delim('{') {
		return ""
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return owner
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return owner
		}
		key := name.(string) // names of members are strings
		if len(value) == 0 || strings.IndexByte("{[ntf", value[0]) >= 0 || !isOwner(key) {
			continue
		}
		if member := key + "=" + string(value); !kinds[strings.ToLower(key)] {
			return member
		} else if owner == "" {
			owner = member
		}
	}
	return owner
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
	// kinds are those that say what is to be done.
	kinds = setOf("method", "action", "function", "operation", "resource", "endpoint", "service", "type", "kind", "category", "model")
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
