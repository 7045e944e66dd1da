// Package sdks hands a forbear client to Go SDKs of well-known APIs, and tries them
// against servers that answer as those APIs document. GitHub, Slack and the others are
// the code that docs/sdks.md shows.
package sdks
