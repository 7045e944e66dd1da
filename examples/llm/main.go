// Llm has twenty callers complete chats on an API that limits requests and tokens a
// minute, where no request says what it will cost, and some responses are streamed.
// The API is built in: no network is needed.
//
//	go run ./examples/llm
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, 3*time.Second, 12*time.Second)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "llm:", err)
		os.Exit(1)
	}
}

// run has callers ask for a time, on an API whose minute is short.
func run(ctx context.Context, out io.Writer, minute, length time.Duration) error {
	a := newAPI(600, 90_000, minute, time.Millisecond)
	server := httptest.NewServer(a)
	defer server.Close()
	hc, err := client.New()
	if err != nil {
		return err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var wg sync.WaitGroup
	for caller := range 20 {
		wg.Go(func() {
			for i := 0; complete(ctx, hc, server.URL, 100+97*(caller+7*i)%1500, caller%4 == 0) == nil; i++ {
			}
		})
	}
	wg.Wait()
	c := a.counted()
	possible := 90_000 * (1 + time.Since(began).Seconds()/minute.Seconds())
	_, err = fmt.Fprintf(out, "%d served, %d refused, %.1f %% of the tokens used\n", c.served, c.refused, 100*c.tokens/possible)
	return err
}

// complete asks for one completion, as any program does.
func complete(ctx context.Context, hc *http.Client, url string, characters int, stream bool) error {
	body := fmt.Sprintf(`{"model":"small","messages":[{"content":%q}],"max_tokens":2048,"stream":%t}`, strings.Repeat("text ", characters/5), stream)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer demo")
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
