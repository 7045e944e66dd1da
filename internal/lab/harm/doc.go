// Package harm asks whether a program is ever worse off with forbear than with a plain
// client, on APIs that are no honest limiters: ones that shed load, break in parts, limit
// by route or by size, or say what is not so. Each world is an API, a network and a load
// in virtual time; the results are in the folder testdata of the lab and in
// docs/benchmarks.md. After a change of forbear:
//
//	go test ./harm -update && go run ./report
package harm
