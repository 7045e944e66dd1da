// Package cost measures what a request costs on its way through each client, and
// what keys and waiting requests cost forbear. It holds benchmarks alone:
//
//	go test -run '^$' -bench . -count 10 ./cost | tee cost.txt
//	benchstat cost.txt
package cost
