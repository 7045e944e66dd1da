package main

import (
	"fmt"
	"strings"

	"github.com/forbear-go/forbear/internal/lab/peer"
)

const plain = "no wrapper" // as the benchmarks call it

// machine says what the benchmarks ran on.
func (b bench) machine() string {
	return fmt.Sprintf("%s, %s CPUs, %s/%s, %s, %s. Medians of %d runs.",
		b.on["cpu"], b.on["cpus"], b.on["goos"], b.on["goarch"], b.on["go"], b.on["date"],
		len(b.values["Call/no_wrapper"]["ns/op"]))
}

// calls lists what a request costs with each client.
func (b bench) calls() string {
	var t strings.Builder
	t.WriteString("| client | time added | silent | parallel | bytes added | allocations added | loopback, whole |\n|---|--:|--:|--:|--:|--:|--:|\n")
	names := []string{plain}
	for _, c := range peer.All() {
		if _, ok := b.median("Call/"+c.Name, "ns/op"); ok {
			names = append(names, c.Name)
		}
	}
	for _, name := range names {
		shown := name
		if name == peer.Forbear {
			shown = "**" + name + "**"
		}
		loop, _ := b.median("Loopback/"+name, "ns/op")
		fmt.Fprintf(&t, "| %s | %s | %s | %s | %s | %s | %.1f µs |\n", shown,
			b.added("Call/", name, "ns/op", " ns"), b.added("CallSilent/", name, "ns/op", " ns"), b.added("CallParallel/", name, "ns/op", " ns"),
			b.added("Call/", name, "B/op", ""), b.added("Call/", name, "allocs/op", ""), loop/1000)
	}
	return t.String()
}

// added is by how much a client is above no wrapper at all, of which it is the whole.
func (b bench) added(group, name, unit, suffix string) string {
	v, _ := b.median(group+name, unit)
	if name == plain {
		return fmt.Sprintf("(%.0f%s)", v, suffix)
	}
	base, _ := b.median(group+plain, unit)
	return fmt.Sprintf("%.0f%s", v-base, suffix)
}

// growth lists what keys and waiting requests cost.
func (b bench) growth() string {
	var t strings.Builder
	t.WriteString("| keys in use | a request of one of them | memory a key |\n|--:|--:|--:|\n")
	for _, n := range []string{"1", "100", "10000", "1000000"} {
		time, _ := b.median("Keys/"+n, "ns/op")
		size, _ := b.median("Keys/"+n, "B/key")
		fmt.Fprintf(&t, "| %s | %.0f ns | %.0f B |\n", n, time, size)
	}
	t.WriteString("\n| waiting requests | x/time/rate, memory each | go-retryablehttp | forbear | turned away (NoWait) | next one starts after |\n")
	t.WriteString("|--:|--:|--:|--:|--:|--:|\n")
	for _, n := range []string{"100", "10000", "100000"} {
		fmt.Fprintf(&t, "| %s |", n)
		for _, c := range []string{"x/time/rate, burst 1", "go-retryablehttp", peer.Forbear} {
			size, _ := b.median("Waiters/"+c+"/"+n, "B/waiter")
			fmt.Fprintf(&t, " %.0f B |", size)
		}
		turned, _ := b.median("Waiters/"+peer.Forbear+"/"+n, "ns/op")
		next, _ := b.median("Handover/"+n, "ns/op")
		fmt.Fprintf(&t, " %.0f ns | %.0f ns |\n", turned, next)
	}
	return t.String()
}
