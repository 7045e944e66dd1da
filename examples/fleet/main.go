// Fleet runs eight processes of one program with one key, first each for itself and then
// as a fleet, and compares what the API had to refuse. The API is built in, and so is a
// server that speaks Redis's protocol and runs Lua (miniredis, for tests; use Redis or
// Valkey for anything else). In the second round one process is killed, and the store goes
// away for three seconds.
//
//	go run -C examples/fleet .
//	go run -C examples/fleet . -redis localhost:6379
//
// It ends with status 1 if the API had to refuse more than one request in twenty of the fleet.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/forbear-go/forbear/client/clienttest"
)

const (
	processes = 8
	limit     = 200
	window    = 2 * time.Second
	length    = 12 * time.Second
)

func main() {
	addr := flag.String("redis", "", "address of a Redis to use; the built-in one unless told")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *addr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, addr string) error {
	if url := os.Getenv("FLEET_API"); url != "" {
		return member(ctx, out, url, os.Getenv("FLEET_REDIS"))
	}
	var store *miniredis.Miniredis
	if addr == "" {
		var err error
		if store, err = miniredis.Run(); err != nil {
			return err
		}
		defer store.Close()
		addr = store.Addr()
	}
	fmt.Fprintf(out, "%d processes, one key, an API that allows %d in %v; %v each\n\n", processes, limit, window, length)
	if _, err := round(ctx, out, "each for itself", "", nil); err != nil {
		return err
	}
	refused, err := round(ctx, out, "as a fleet", addr, store)
	if err == nil && refused > 0.05 {
		err = fmt.Errorf("%.1f %% of the fleet's requests were refused", 100*refused)
	}
	return err
}

// round runs the processes for a while, and returns which part of their requests was refused.
func round(ctx context.Context, out io.Writer, title, redis string, store *miniredis.Miniredis) (float64, error) {
	api := clienttest.NewServer(clienttest.Fixed(limit, window), clienttest.XRateLimitDelta(), clienttest.Latency(20*time.Millisecond, 40*time.Millisecond))
	defer api.Close()
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	var all []*exec.Cmd
	for i := range processes {
		cmd := exec.CommandContext(ctx, self) //nolint:gosec // it is this very program
		cmd.Env = append(os.Environ(), "FLEET_API="+api.URL, "FLEET_REDIS="+redis, "FLEET_MEMBER="+strconv.Itoa(i))
		cmd.Stdout, cmd.Stderr = out, os.Stderr
		if err := cmd.Start(); err != nil {
			return 0, errors.Join(err, end(all))
		}
		all = append(all, cmd)
	}
	fmt.Fprintf(out, "%s:\n", title)
	if redis != "" {
		disturb(ctx, out, all[processes-1], store)
		all = all[:processes-1]
	}
	if err := end(all); err != nil {
		return 0, err
	}
	c := api.Counts()
	part := float64(c.Refused) / float64(max(c.Admitted+c.Refused, 1))
	fmt.Fprintf(out, "  admitted %d, refused %d (%.1f %%)\n\n", c.Admitted, c.Refused, 100*part)
	return part, nil
}

// disturb kills a process, and takes the store away for three seconds.
func disturb(ctx context.Context, out io.Writer, victim *exec.Cmd, store *miniredis.Miniredis) {
	pause(ctx, 3*time.Second)
	fmt.Fprintln(out, "  one process is killed")
	_ = victim.Process.Kill()
	_ = victim.Wait() // it was killed
	if store == nil {
		return
	}
	pause(ctx, time.Second)
	fmt.Fprintln(out, "  the store goes away for 3 s")
	store.Close()
	pause(ctx, 3*time.Second)
	if err := store.Restart(); err != nil {
		fmt.Fprintln(out, "  and does not come back:", err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// end waits for the processes.
func end(all []*exec.Cmd) error {
	errs := make([]error, 0, len(all))
	for _, cmd := range all {
		errs = append(errs, cmd.Wait())
	}
	return errors.Join(errs...)
}
