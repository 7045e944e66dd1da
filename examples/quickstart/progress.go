package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// follow writes what line returns until stop is called, and then once more: on a
// terminal as one queue that changes, elsewhere as a queue every other second without
// control characters. Nobody else may write to out meanwhile.
func follow(out io.Writer, line func() string) (stop func()) {
	if isTerminal(out) {
		return redraw(out, line)
	}
	return every(2*time.Second, func(bool) { fmt.Fprintln(out, line()) })
}

// redraw is follow for a terminal.
func redraw(out io.Writer, line func() string) (stop func()) {
	return every(100*time.Millisecond, func(last bool) {
		fmt.Fprintf(out, "\r%-70s", line()) // the spaces cover what is left of a longer line
		if last {
			fmt.Fprintln(out)
		}
	})
}

// every calls f again and again until stop is called, and then once more for the
// last time. When stop returns, f is done.
func every(d time.Duration, f func(last bool)) (stop func()) {
	stopped := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		ticks := time.NewTicker(d)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				f(false)
			case <-stopped:
				f(true)
				return
			}
		}
	})
	return func() { close(stopped); wg.Wait() }
}

// isTerminal reports whether out is a character device, as a terminal is; so is
// os.DevNull, where it does no harm.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
