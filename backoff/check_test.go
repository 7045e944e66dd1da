package backoff

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func response(status int, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestDefaultCheckOfStatuses(t *testing.T) {
	type verdicts struct{ get, post Verdict }
	both := func(v Verdict) verdicts { return verdicts{v, v} }
	idempotent := verdicts{Yes, No}
	for status, want := range map[int]verdicts{
		100: both(NoOpinion), 200: both(NoOpinion), 204: both(NoOpinion), 301: both(NoOpinion), 304: both(NoOpinion),
		400: both(NoOpinion), 401: both(NoOpinion), 403: both(NoOpinion), 404: both(NoOpinion),
		409: both(NoOpinion), 418: both(NoOpinion), 425: both(NoOpinion),
		408: idempotent,
		429: both(Yes),
		500: idempotent, 502: idempotent, 503: idempotent, 504: idempotent,
		501: both(No), 505: idempotent, 506: idempotent, 507: idempotent, 508: idempotent, 510: idempotent, 511: idempotent,
		520: idempotent, 521: idempotent, 522: idempotent, 523: idempotent, 524: idempotent, 525: idempotent,
		526: idempotent, 527: idempotent, 529: idempotent, 530: idempotent, 599: idempotent,
		0: both(NoOpinion), 600: idempotent, 999: idempotent, -1: both(NoOpinion),
	} {
		assert.Equal(t, want, verdicts{
			DefaultCheck(Attempt{Request: request(t, "GET", ""), Response: response(status)}),
			DefaultCheck(Attempt{Request: request(t, "POST", "x"), Response: response(status)}),
		}, "status %d", status)
	}
}

func TestDefaultCheckOfMarks(t *testing.T) {
	get, post, keyed := request(t, "GET", ""), request(t, "POST", "x"), request(t, "POST", "x", "Idempotency-Key", "a")
	stream := request(t, "POST", "x")
	stream.GetBody = nil
	worded := post.WithContext(WithIdempotent(t.Context(), true))
	for name, c := range map[string]struct {
		attempt Attempt
		want    Verdict
	}{
		"refused with 403":                 {Attempt{Request: post, Response: response(403), Refused: true}, Yes},
		"refused with 503":                 {Attempt{Request: post, Response: response(503), Refused: true}, Yes},
		"refused with 200":                 {Attempt{Request: post, Response: response(200), Refused: true}, Yes},
		"refused, stream":                  {Attempt{Request: stream, Response: response(429)}, No},
		"refused, word against":            {Attempt{Request: get.WithContext(WithIdempotent(t.Context(), false)), Response: response(429)}, Yes},
		"500, key":                         {Attempt{Request: keyed, Response: response(500)}, Yes},
		"500, word":                        {Attempt{Request: worded, Response: response(500)}, Yes},
		"500, word for all":                {Attempt{Request: post, Response: response(500), Repeatable: true}, Yes},
		"500, word against":                {Attempt{Request: get.WithContext(WithIdempotent(t.Context(), false)), Response: response(500)}, No},
		"EOF, key":                         {Attempt{Request: keyed, Err: io.EOF}, Yes},
		"EOF, stream":                      {Attempt{Request: stream, Err: io.EOF, Repeatable: true}, No},
		"error outranks a stray response":  {Attempt{Request: post, Response: response(429), Err: errors.New("x")}, NoOpinion},
		"refused flag beside an error":     {Attempt{Request: post, Refused: true, Err: errors.New("x")}, NoOpinion},
		"nothing known":                    {Attempt{}, NoOpinion},
		"request not known, 500":           {Attempt{Response: response(500)}, No},
		"request not known, 429":           {Attempt{Response: response(429)}, Yes},
		"hint false on 503":                {Attempt{Request: get, Response: response(503, "X-Should-Retry", "false")}, No},
		"hint false on 429":                {Attempt{Request: get, Response: response(429, "X-Should-Retry", "False")}, No},
		"hint true on 409":                 {Attempt{Request: keyed, Response: response(409, "Stripe-Should-Retry", "true")}, Yes},
		"hint true on 409, not idempotent": {Attempt{Request: post, Response: response(409, "Stripe-Should-Retry", "true")}, NoOpinion},
		"hint true on 500, not idempotent": {Attempt{Request: post, Response: response(500, "X-Should-Retry", "true")}, No},
		"hint true on 501":                 {Attempt{Request: get, Response: response(501, "X-Should-Retry", "TRUE ")}, Yes},
		"hint true on 200":                 {Attempt{Request: get, Response: response(200, "X-Should-Retry", "true")}, NoOpinion},
		"hint true, stream":                {Attempt{Request: stream, Response: response(429, "X-Should-Retry", "true")}, No},
		"hints disagree":                   {Attempt{Request: get, Response: response(500, "X-Should-Retry", "true", "Stripe-Should-Retry", "false")}, No},
		"hint malformed":                   {Attempt{Request: get, Response: response(404, "X-Should-Retry", "1")}, NoOpinion},
	} {
		assert.Equal(t, c.want, DefaultCheck(c.attempt), name)
	}
}

func TestDefaultCheckWhenTheContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		a := Attempt{Request: request(t, "GET", "").WithContext(ctx), Response: response(429)}
		lost := Attempt{Request: a.Request, Err: context.DeadlineExceeded}
		assert.Equal(t, Yes, DefaultCheck(a))
		assert.Equal(t, Yes, DefaultCheck(lost), "the attempt's own timeout")
		time.Sleep(time.Second)
		assert.Equal(t, No, DefaultCheck(a))
		assert.Equal(t, No, DefaultCheck(lost))

		cancelled, cancel := context.WithCancel(t.Context())
		a.Request = a.Request.WithContext(cancelled)
		assert.Equal(t, Yes, DefaultCheck(a))
		cancel()
		assert.Equal(t, No, DefaultCheck(a))
	})
}

// A lateContext has passed its deadline but has not noticed yet.
type lateContext struct{ context.Context }

func (lateContext) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

func TestDeadlineCountsBeforeTheContextNotices(t *testing.T) {
	late := request(t, "GET", "").WithContext(lateContext{t.Context()})
	assert.NoError(t, late.Context().Err())
	assert.Equal(t, No, DefaultCheck(Attempt{Request: late, Err: io.EOF}))
}

func TestFirstOpinionWins(t *testing.T) {
	says := func(v Verdict) Check { return func(Attempt) Verdict { return v } }
	never := func(Attempt) Verdict { t.Error("asked after an opinion"); return Yes }
	const notFound, refused = 404, 429
	for name, c := range map[string]struct {
		check  Check
		status int
		want   Verdict
	}{
		"none":                 {FirstOf(), notFound, NoOpinion},
		"no opinions":          {FirstOf(says(NoOpinion), says(NoOpinion)), notFound, NoOpinion},
		"yes":                  {FirstOf(says(NoOpinion), says(Yes), never), notFound, Yes},
		"no":                   {FirstOf(says(No), never), notFound, No},
		"nil is passed over":   {FirstOf(nil, says(Yes)), notFound, Yes},
		"chain in a chain":     {FirstOf(FirstOf(says(NoOpinion)), FirstOf(says(No), never)), notFound, No},
		"before the default":   {FirstOf(says(No), DefaultCheck), refused, No},
		"left by the default":  {FirstOf(DefaultCheck, says(Yes)), notFound, Yes},
		"taken by the default": {FirstOf(DefaultCheck, never), refused, Yes},
	} {
		assert.Equal(t, c.want, c.check(Attempt{Response: response(c.status)}), name)
	}
}

func TestFirstOfKeepsItsOwnList(t *testing.T) {
	list := []Check{func(Attempt) Verdict { return Yes }}
	check := FirstOf(list...)
	list[0] = func(Attempt) Verdict { return No }
	assert.Equal(t, Yes, check(Attempt{}))
}

func TestVerdictString(t *testing.T) {
	assert.Equal(t, []string{"no opinion", "yes", "no"}, []string{NoOpinion.String(), Yes.String(), No.String()})
}
