// Package pool lets one client use several credentials of an API: each request goes
// with the one with which it can go first, or of several that can go now, with the
// one that has most left. A credential that is revoked or may do nothing rests.
//
// Many APIs forbid the use of several credentials to get around a limit: read their
// terms. It is meant for credentials that are yours to use together, such as the
// installations of an app or the accounts of customers.
package pool
