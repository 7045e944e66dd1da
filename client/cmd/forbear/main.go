// Forbear brings the limits of APIs to programs in any language.
//
//	forbear proxy     send requests on as the limits of their APIs allow
//	forbear explain   say what a response tells of limits
//	forbear top       watch a proxy in a terminal
//	forbear version   say which version this is
//
// See forbear help and the name of a command. The exit status is 0 if all went well, 1
// if something failed, and 2 if the command line or a file that it names is wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/forbear-go/forbear/internal/words"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	status := run(ctx, os.Args[1:], &streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(status) //nolint:forbidigo // this is main
}

// shown returns a text that a terminal can show.
func shown(name string) string { return words.Clean(name, 120) }

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// A command is what the first argument names.
type command struct {
	name, summary, help string
	// run declares its flags, parses args and does what it is for.
	run func(ctx context.Context, flags *flag.FlagSet, args []string, s *streams) error
}

var commands = []command{proxyCommand, explainCommand, topCommand}

// A usageError says that the command line, or a file that it names, is wrong.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run runs the command that args name and returns the exit status.
func run(ctx context.Context, args []string, s *streams) int {
	if len(args) == 0 {
		usage(s.err)
		return 2
	}
	name, args := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		if len(args) == 0 || args[0] == "help" || args[0] == "version" {
			usage(s.out)
			return 0
		}
		name, args = args[0], []string{"-h"}
	case "version", "-version", "--version":
		fmt.Fprintln(s.out, version())
		return 0
	}
	for _, c := range commands {
		if c.name == name {
			return c.do(ctx, args, s)
		}
	}
	fmt.Fprintf(s.err, "forbear: unknown command %q\n\n", name)
	usage(s.err)
	return 2
}

// do runs the command and returns the exit status.
func (c *command) do(ctx context.Context, args []string, s *streams) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Parse returns what is wrong, too
	err := c.run(ctx, flags, args, s)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(s.out, "%s\n\n", c.help)
		flags.SetOutput(s.out)
		flags.PrintDefaults()
		return 0
	}
	fmt.Fprintf(s.err, "forbear %s: %v\n", c.name, err)
	if _, wrong := errors.AsType[usageError](err); wrong {
		fmt.Fprintf(s.err, "See forbear help %s.\n", c.name)
		return 2
	}
	return 1
}

// parse parses the flags of a command that takes no other arguments.
func parse(flags *flag.FlagSet, args []string) error {
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return usageError{err}
	case flags.NArg() > 0:
		return usageError{fmt.Errorf("unexpected argument %q", flags.Arg(0))}
	}
	return nil
}

// version returns the version of the module and that of Go.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "forbear, of an unknown version"
	}
	return fmt.Sprintf("forbear %s, %s", info.Main.Version, info.GoVersion)
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Forbear brings the limits of APIs to programs in any language.\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "\tforbear %-10s%s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\tforbear version   say which version this is\n\n"+
		"forbear help and the name of a command says more. The exit status is 0 if all went\n"+
		"well, 1 if something failed, and 2 if the command line or a file that it names is wrong.\n")
}
