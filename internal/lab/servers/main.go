// Servers tries forbear on rate limiters as their projects ship them, on loopback and
// in real time: it takes about a minute. It fails if a call fails, or if a server that
// tells its limits refuses more than one request in a hundred. It is run from the folder
// of the lab:
//
//	go run ./servers
//
// With -update it writes what came of it to testdata/servers.json.
//
// Those written for Node are fetched by npm, as package-lock.json has them, into a
// temporary folder. Where node or nginx is missing, theirs are left out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/forbear-go/forbear/internal/lab"
)

// A rate is a limit that servers are set up with, where they can be. Short windows are
// hard: most servers tell the reset in whole seconds.
type rate struct {
	limit  int
	window time.Duration
}

var rates = []rate{{20, 2 * time.Second}, {50, 10 * time.Second}}

func (r rate) String() string     { return fmt.Sprintf("%d in %v", r.limit, r.window) }
func (r rate) perSecond() float64 { return float64(r.limit) / r.window.Seconds() }

var update = flag.Bool("update", false, "write what came of it to "+lab.ServedFile)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(ctx context.Context) error {
	var all []server
	defer func() {
		for _, s := range all {
			s.stop()
		}
	}()
	for _, start := range []func(context.Context) ([]server, error){goServers, nodeServers, nginxServer} {
		started, err := start(ctx)
		if err != nil {
			return err
		}
		all = append(all, started...)
	}
	results, failures := make([]lab.Served, len(all)), make([]error, len(all))
	var tries sync.WaitGroup
	for i, s := range all {
		tries.Go(func() {
			if results[i], failures[i] = s.try(ctx); failures[i] == nil {
				failures[i] = s.check(results[i])
			}
		})
	}
	tries.Wait()
	for _, r := range results {
		fmt.Fprintf(os.Stdout, "%-40s %-24s %4d sent, %3d refused, %.1f of %.1f a second admitted\n", r.Server, r.Setup, r.Sent, r.Refused, r.Rate, r.Allowed)
	}
	if err := errors.Join(failures...); err != nil || !*update {
		return err
	}
	return write(results)
}

// write writes the results. Those of servers that were left out stay as they were.
func write(results []lab.Served) error {
	old, err := lab.Read[lab.Served](lab.ServedFile)
	if err != nil {
		return err
	}
	for _, was := range old {
		same := func(r lab.Served) bool { return program(r.Server) == program(was.Server) }
		if !slices.ContainsFunc(results, same) {
			results = append(results, was)
		}
	}
	return lab.Write(lab.ServedFile, results)
}

// program returns the name of a server without its version.
func program(name string) string { return name[:strings.IndexAny(name+" ", "0123456789 ")] }
