// Package fleets measures processes that share one quota through a store, in virtual time, and the same processes
// when they do not know of each other.
package fleets
