// Package lab compares forbear with other clients, so that anybody can check what is
// said of them: the same APIs, the same load and the same network for each, in
// virtual time. It is a module of its own; nothing that it imports reaches the users
// of forbear.
//
// The results are in testdata, and in docs/benchmarks.md, docs/peers.md and
// docs/sdks.md. A test compares those of forbear with what it reaches now. To make all
// of them again, which takes some six minutes on two cores:
//
//	go generate .
//
// After a change of forbear alone:
//
//	go test . -run TestLab/all/.*/forbear -update && go test ./harm -run TestHarm -update && go run ./report
package lab
