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
	t.WriteString("| client | time added | of forbear's | silent | parallel | bytes added | allocations added | whole call | loopback, whole call |\n" +
		"|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	measured := b.measured()
	names := append(make([]string, 0, 1+len(measured)), plain)
	for _, c := range measured {
		names = append(names, c.Name)
	}
	for _, name := range names {
		shown, part := name, fmt.Sprintf("%.2f", b.ratio(name))
		switch name {
		case peer.Forbear:
			shown, part = "**"+name+"**", "1"
		case plain:
			part = ""
		}
		fmt.Fprintf(&t, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", shown,
			b.added("Call/", name, "ns/op", " ns"), part, b.added("CallSilent/", name, "ns/op", " ns"), b.added("CallParallel/", name, "ns/op", " ns"),
			b.added("Call/", name, "B/op", ""), b.added("Call/", name, "allocs/op", ""), b.whole("Call/"+name), b.whole("Loopback/"+name))
	}
	return t.String()
}

// measured lists the clients of which the cost of a call is known.
func (b bench) measured() []peer.Client {
	var all []peer.Client
	for _, c := range peer.All() {
		if _, ok := b.median("Call/"+c.Name, "ns/op"); ok {
			all = append(all, c)
		}
	}
	return all
}

// rank says which of the clients that retry are cheaper than forbear, and which dearer.
func (b bench) rank() string {
	var cheaper, dearer []string
	for _, c := range b.measured() {
		if !c.Retries || c.Name == peer.Forbear {
			continue
		}
		text := fmt.Sprintf("%s (%.2f of forbear's)", c.Name, b.ratio(c.Name))
		if b.ratio(c.Name) < 1 {
			cheaper = append(cheaper, text)
		} else {
			dearer = append(dearer, text)
		}
	}
	return fmt.Sprintf("Of the clients that retry, %s add less time than forbear to a request that need not wait, and %s add more.",
		list(cheaper), list(dearer))
}

// list joins names to an enumeration.
func list(names []string) string {
	switch n := len(names); n {
	case 0:
		return "none"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// ratio is the time that a client adds, as a part of what forbear adds.
func (b bench) ratio(name string) float64 {
	base, _ := b.median("Call/"+plain, "ns/op")
	theirs, _ := b.median("Call/"+name, "ns/op")
	ours, _ := b.median("Call/"+peer.Forbear, "ns/op")
	return (theirs - base) / (ours - base)
}

// whole is the time of a whole call, and how sure it is.
func (b bench) whole(name string) string {
	s, ok := b.summary(name, "ns/op")
	if !ok {
		return "–"
	}
	value := fmt.Sprintf("%.0f ns", s.Center)
	if s.Center >= 10_000 {
		value = fmt.Sprintf("%.1f µs", s.Center/1000)
	}
	return value + " ± " + strings.ReplaceAll(s.PctRangeString(), "%", " %")
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
	for _, n := range []string{"1", "100", "10000", "100000"} {
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
