// Package pool lets one client use several credentials of an API. It sends each request
// with the credential that allows it soonest or, if several allow it now, with the one
// that has most quota left. For a while, it avoids credentials that the API rejects.
//
// Many APIs forbid using several credentials to circumvent a limit: read their terms.
// The package is meant for credentials that you may use together, such as the
// installations of an app or the accounts of customers.
package pool
