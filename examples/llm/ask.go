package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An asker sends prompts with one client.
type asker struct {
	name     string
	client   *http.Client
	server   *chat
	answered atomic.Int64
	took     atomic.Int64 // nanoseconds, once it is done

	mu  sync.Mutex
	err error // the first
}

// all sends all prompts. Those of different callers differ in size.
func (a *asker) all(ctx context.Context, p plan) {
	began := time.Now()
	var sent atomic.Int64
	var wg sync.WaitGroup
	for range p.callers {
		wg.Go(func() {
			for i := sent.Add(1); i <= int64(p.prompts) && ctx.Err() == nil; i = sent.Add(1) {
				if err := a.ask(ctx, int(i)); err != nil {
					a.fail(err)
					continue
				}
				a.answered.Add(1)
			}
		})
	}
	wg.Wait()
	a.took.Store(int64(time.Since(began)))
}

func (a *asker) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.err = fmt.Errorf("%s: %w", a.name, err)
	}
}

func (a *asker) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// ask sends a prompt, as any program does: of limits it knows nothing.
func (a *asker) ask(ctx context.Context, i int) error {
	p := prompt{
		Model: "small", MaxTokens: 400, Stream: i%2 == 0,
		Messages: []message{{"user", strings.Repeat("word ", 40+i*53%200)}},
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.server.URL+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer key")
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return p.check(resp.Body)
}

// check reads a response to its end, and returns an error unless it says the right usage.
func (p *prompt) check(body io.Reader) error {
	var got struct {
		Usage usage `json:"usage"`
	}
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		line := strings.TrimPrefix(lines.Text(), "data: ")
		if line == "" || line == "[DONE]" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if want := p.answer(); got.Usage != want {
		return fmt.Errorf("the usage is %v, not %v", got.Usage, want)
	}
	return nil
}
