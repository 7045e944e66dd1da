package harm

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
)

// windows is small windows whose resets come in whole seconds, small limits that several
// processes share, and requests whose credential never looks the same.
func windows() []World {
	small := func(id string, limit int, length time.Duration, form apiserver.Form, name string) World {
		return World{
			ID: id, Name: fmt.Sprintf("%d in %v, %s in whole seconds", limit, length, name),
			API:      func(s *site) http.Handler { return s.limit(s.ok(), rule(fixed(limit, length), form)) },
			Possible: greedy(1, fixed(limit, length)), Span: 10 * time.Minute, Least: 20 * time.Millisecond, Most: 35 * time.Millisecond,
			Goal: Goal{Used: .9, Refused: .001},
		}
	}
	shared := func(id string, limit int, length time.Duration, processes, callers int) World {
		return World{
			ID: id, Name: fmt.Sprintf("%d in %v, shared by %d processes of %d callers, 5 ms away", limit, length, processes, callers),
			API:      func(s *site) http.Handler { return s.limit(s.ok(), rule(fixed(limit, length), apiserver.Epoch)) },
			Possible: greedy(1, fixed(limit, length)), Processes: processes, Callers: callers,
			Span: 20 * time.Minute, Least: 2 * time.Millisecond, Most: 3 * time.Millisecond,
			Goal: Goal{Used: .95, Refused: .02, Jain: .9},
		}
	}
	one := small("one-epoch", 1, time.Second, apiserver.Epoch, "a reset as a moment")
	one.Goal.Refused = .01 // it cannot be known but by tests
	two := small("two-delta", 1, 2*time.Second, apiserver.Delta, "a reset as a delay")
	five := small("five-epoch", 5, 5*time.Second, apiserver.Epoch, "a reset as a moment")
	two.Goal.Refused, five.Goal.Refused = .015, .004 // a test or two of some hundred requests; more where one request is all that there is
	return []World{
		small("second-epoch", 10, time.Second, apiserver.Epoch, "a reset as a moment"),
		small("second-delta", 5, time.Second, apiserver.Delta, "a reset as a delay"),
		small("two-epoch", 10, 2*time.Second, apiserver.Epoch, "a reset as a moment"),
		two,
		five,
		small("five-delta", 20, 5*time.Second, apiserver.Delta, "a reset as a delay"),
		one,
		shared("shared-three", 50, 10*time.Second, 3, 20),
		shared("shared-five", 30, 10*time.Second, 5, 5),
		shared("shared-two", 20, 5*time.Second, 2, 10),
		{
			ID: "signed", Name: "120 a minute, each request signed anew (AWS)",
			API: func(s *site) http.Handler {
				account := func(*http.Request) string { return "account" }
				return s.limitFor(account, s.ok(), rule(fixed(120, time.Minute), apiserver.Epoch))
			},
			Request: func(ctx context.Context, caller, n int) *http.Request {
				req := request(ctx, "/items")
				req.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/execute-api/aws4_request, "+
					"SignedHeaders=host;x-amz-date, Signature=%064x", 1000000*caller+n))
				return req
			},
			Callers: 50, Possible: greedy(1, fixed(120, time.Minute)), Goal: Goal{Used: .98, Refused: .002},
		},
	}
}
