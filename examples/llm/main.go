// Llm sends prompts to a server that limits requests and tokens a minute, as OpenAI's API does:
// with plain go-retryablehttp and, at the same time, with forbear, each to a server of its own.
// Half of the responses are streamed. The servers are built in: no network is needed.
//
//	go run ./examples/llm
//
// It ends with status 1 if forbear did not get every answer, or was refused more than now and then:
// on a machine that is too busy to keep up, responses may tell too late what is left.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/throttle/cost"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, plan{prompts: 300, callers: 20, limits: limits{requests: 240, tokens: 32_000, minute: 8 * time.Second}})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "llm:", err)
		os.Exit(1)
	}
}

// A plan is how many prompts are sent, by how many callers, and what the server allows.
type plan struct {
	prompts, callers int
	limits           limits
}

// limits are so many requests and tokens a minute. A real minute would be long to look on.
type limits struct {
	requests, tokens int
	minute           time.Duration
}

// used returns the share that so many tokens are of all that the server had to give: it began full.
func (l limits) used(tokens int, in time.Duration) float64 {
	return float64(tokens) / (float64(l.tokens) * (1 + in.Seconds()/l.minute.Seconds()))
}

// run compares go-retryablehttp with forbear.
func run(ctx context.Context, out io.Writer, p plan) error {
	fmt.Fprintf(out, "%d prompts, %d callers, a server that allows %d requests and %d tokens in %v.\n\n",
		p.prompts, p.callers, p.limits.requests, p.limits.tokens, p.limits.minute)
	server := newChat(p.limits)
	defer server.Close()
	openai := *cost.Named("openai") // the server speaks as OpenAI's does, under a name of its own
	openai.Hosts = []string{"127.0.0.1"}
	hc, err := client.New(client.WithCosts(&openai))
	if err != nil {
		return err
	}
	other := newChat(p.limits)
	defer other.Close()
	plain := retryablehttp.NewClient()
	plain.Logger = nil
	asks := []*asker{{name: "go-retryablehttp", client: plain.StandardClient(), server: other}, {name: "forbear", client: hc, server: server}}
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() { follow(out, done, asks, p.limits) })
	var each sync.WaitGroup
	for _, a := range asks {
		each.Go(func() { a.all(ctx, p) })
	}
	each.Wait()
	close(done)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%-16s  %8s  %13s  %13s  %11s  %6s\n", "client", "answered", "requests sent", "refused (429)", "tokens used", "time")
	for _, a := range asks {
		n := a.server.counts()
		took := time.Duration(a.took.Load())
		fmt.Fprintf(out, "%-16s  %8d  %13d  %13d  %9.1f %%  %4.1f s\n",
			a.name, a.answered.Load(), n.requests, n.refused, 100*p.limits.used(n.tokens, took), took.Seconds())
	}
	forbear := asks[1]
	if n := server.counts(); n.refused > p.prompts/10 {
		return fmt.Errorf("forbear was refused %d times", n.refused)
	}
	return forbear.failure()
}

// follow writes every second how far each is, and how much it used of what there was until then.
func follow(out io.Writer, done <-chan struct{}, asks []*asker, l limits) {
	began := time.Now()
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-done:
			tick.Stop()
			return
		case <-tick.C:
		}
		for _, a := range asks {
			n := a.server.counts()
			fmt.Fprintf(out, "%-16s %4d answered, %3d refused, %5.1f %% of the tokens  ",
				a.name, a.answered.Load(), n.refused, 100*l.used(n.tokens, cmp.Or(time.Duration(a.took.Load()), time.Since(began))))
		}
		fmt.Fprintln(out)
	}
}
