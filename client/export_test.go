package client

import "net/http"

// LeftOf returns how many more requests may go with the lease of whoever sends req.
func (t *Transport) LeftOf(req *http.Request) int {
	c := callOf(req)
	if s := t.account(req, &c).leased.Load(); s != nil {
		return s.lease.Left()
	}
	return 0
}
