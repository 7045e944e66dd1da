package main

import (
	"fmt"
	"strings"

	"github.com/forbear-go/forbear/internal/lab/contract"
	"github.com/forbear-go/forbear/internal/lab/peer"
)

// faults lists the clauses of the contract, and how each client keeps them.
func faults(verdicts []contract.Verdict, versions map[string]string) string {
	found := map[[2]string]contract.Verdict{}
	for _, v := range verdicts {
		found[[2]string{v.Clause, v.Client}] = v
	}
	var b strings.Builder
	b.WriteString("| clause |")
	for _, name := range contract.Wrappers() {
		c, _ := peer.Named(name)
		fmt.Fprintf(&b, " %s |", strings.TrimSpace(label(c)+" "+versions[c.Module]))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(contract.Wrappers())) + "\n")
	for _, clause := range contract.Clauses() {
		fmt.Fprintf(&b, "| %s (%s) |", clause.Name, clause.Why)
		for _, name := range contract.Wrappers() {
			v, ok := found[[2]string{clause.Name, name}]
			switch {
			case !ok:
				v.Fault = "?"
			case v.Fault == "":
				v.Fault = "✓"
			}
			fmt.Fprintf(&b, " %s |", v.Fault)
		}
		b.WriteString("\n")
	}
	return b.String()
}
