package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/words"
	"github.com/forbear-go/forbear/throttle"
)

// plan says what forbear would do next, had it sent a request and got this response. It
// asks the same code that a client asks.
func (r *response) plan(got *reading) ([]string, error) {
	k, err := throttle.New(throttle.DefaultPolicy(), got.now.Add(-time.Millisecond))
	if err != nil {
		return nil, err
	}
	sent := k.Take(got.now.Add(-time.Millisecond), 1)
	k.Observe(got.now, sent, &got.Reading)
	next := k.Ask(got.now, 1)
	again, err := r.retry(got, next.At.Sub(got.now))
	if err != nil {
		return nil, err
	}
	plan := []string{again}
	switch {
	case next.At.IsZero():
		plan = append(plan, "Send nothing else until another response is there.")
	case next.At.After(got.now):
		why, wait := "limit "+shown(next.Limit), next.At.Sub(got.now)
		if next.Limit == throttle.Refusal {
			why = "the refusal"
			if got.Wait.Known() {
				wait = got.Wait.Delay // a client adds a little at random
			}
		}
		plan = append(plan, fmt.Sprintf("Hold the next request for at least %s because of %s; fail at once those that must not wait so long.",
			words.Duration(wait.Round(time.Second)), why))
	default:
		plan = append(plan, "Let the next request go at once.")
	}
	return plan, nil
}

// retry says whether a client would send the request again, if the queue held it so long.
func (r *response) retry(got *reading, hold time.Duration) (string, error) {
	defaults := backoff.Defaults()
	strategy, err := backoff.NewStrategy(defaults)
	if err != nil {
		return "", err
	}
	resp := &http.Response{
		StatusCode: r.status, Header: r.header,
		Body: io.NopCloser(bytes.NewReader(r.body)), ContentLength: int64(len(r.body)),
	}
	again := func(method string) bool {
		_, err := strategy.Next(got.now, backoff.Attempt{
			Request: &http.Request{Method: method}, Response: resp,
			Refused: got.Refused, Wait: got.Wait.Delay, WaitKnown: got.Wait.Known(),
		}, nil)
		return err == nil
	}
	const asItIs = "Hand the response to the caller as it is"
	switch final := client.FinalReason(resp); {
	case final != nil:
		return fmt.Sprintf("%s; waiting does not help (%s).", asItIs, strings.TrimPrefix(final.Error(), "client: ")), nil
	case got.Refused && (hold > client.DefaultMaxWait || strategy.Exhausted(got.Wait.Delay)):
		return fmt.Sprintf("%s; another attempt would have to wait for longer than %s.", asItIs, words.Duration(client.DefaultMaxWait)), nil
	case !again(http.MethodGet):
		return asItIs + ".", nil
	case !again(http.MethodPost):
		return fmt.Sprintf("Send the request again if it is idempotent, up to %d times, after a pause that grows.", defaults.Retries), nil
	}
	return fmt.Sprintf("Send the request again if its body can be replayed, up to %d times; a refused request was not executed.", defaults.Retries), nil
}
