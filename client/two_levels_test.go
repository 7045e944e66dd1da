package client_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/forbear-go/forbear/internal/ratemodel"
)

// A twoLevels is an API whose channels each have a limit, and whose account has one above them.
type twoLevels struct {
	channels map[string]ratemodel.Model
	channel  func() ratemodel.Model
	account  ratemodel.Model
	told     bool // responses tell the limits of channels
	above    bool // they tell that of the account
	scoped   bool // refusals of the account say that they are
	waits    bool // refusals name a wait
	whole    bool // in whole seconds

	mu                  sync.Mutex
	rng                 *rand.Rand
	served              int
	refused, refusedOne int // for the limit of the account, and of a channel
}

func (a *twoLevels) RoundTrip(req *http.Request) (*http.Response, error) {
	return overTheWire(req, &a.mu, a.rng, a.answer)
}

// overTheWire has a request answered after a way there, and before one back, of 25 to 75 milliseconds each. A lock guards
// the random numbers and the answer.
func overTheWire(req *http.Request, mu *sync.Mutex, rng *rand.Rand, answer func(*http.Request, time.Time) *http.Response) (*http.Response, error) {
	mu.Lock()
	there, back := 25+rng.IntN(50), 25+rng.IntN(50)
	mu.Unlock()
	if err := pause(req.Context(), time.Duration(there)*time.Millisecond); err != nil {
		return nil, err
	}
	mu.Lock()
	resp := answer(req, time.Now())
	mu.Unlock()
	if err := pause(req.Context(), time.Duration(back)*time.Millisecond); err != nil {
		return nil, err
	}
	return resp, nil
}

func (a *twoLevels) answer(req *http.Request, now time.Time) *http.Response {
	name := req.URL.Path
	of := a.channels[name]
	if of == nil {
		of = a.channel()
		a.channels[name] = of
	}
	resp := respond(req, http.StatusOK)
	resp.Header.Set("Date", now.UTC().Format(http.TimeFormat))
	switch {
	case !a.account.Next(now).After(now) && of.Admit(now):
		a.account.Admit(now)
		a.served++
	case a.account.Next(now).After(now):
		a.refused++
		a.refuse(resp, now, a.account, a.scoped)
		if !a.above {
			return resp
		}
	default:
		a.refusedOne++
		a.refuse(resp, now, of, false)
	}
	if a.told {
		a.tell(resp, now, "X-RateLimit-", of)
		resp.Header.Set("X-RateLimit-Bucket", "80c17d2f203122d936070c88c8d10f33")
	}
	if a.above {
		a.tell(resp, now, "X-RateLimit-Global-", a.account)
	}
	return resp
}

func (a *twoLevels) tell(resp *http.Response, now time.Time, prefix string, m ratemodel.Model) {
	w := m.Windows(nil, now)[0]
	resp.Header.Set(prefix+"Limit", strconv.Itoa(w.Limit))
	resp.Header.Set(prefix+"Remaining", strconv.Itoa(w.Remaining))
	resp.Header.Set(prefix+"Reset", fmt.Sprintf("%.3f", float64(w.Reset.UnixMilli())/1000))
	resp.Header.Set(prefix+"Reset-After", fmt.Sprintf("%.3f", w.Reset.Sub(now).Seconds()))
}

func (a *twoLevels) refuse(resp *http.Response, now time.Time, m ratemodel.Model, global bool) {
	wait := m.Next(now).Sub(now)
	resp.StatusCode = http.StatusTooManyRequests
	body := `{"message": "You are being rate limited."`
	if a.waits {
		text := fmt.Sprintf("%.3f", wait.Seconds())
		if a.whole {
			text = strconv.Itoa(int((wait + time.Second - 1) / time.Second))
		}
		resp.Header.Set("Retry-After", text)
		body += `, "retry_after": ` + text
	}
	if global {
		resp.Header.Set("X-RateLimit-Scope", "global")
		resp.Header.Set("X-RateLimit-Global", "true")
		body += `, "global": true`
	}
	resp.Header.Set("Content-Type", "application/json")
	resp.Body = io.NopCloser(strings.NewReader(body + "}"))
}

// A twoLevelsJob is a program that calls such an API.
type twoLevelsJob struct {
	name              string
	account, channel  func() ratemodel.Model
	channels, callers int
	own               bool // each caller keeps to a channel and a route
	kinds             int  // routes of a channel, of which each has its limit
	scopes            bool // the program says which requests share a limit
	set               func(*twoLevels)
	least             float64 // of what go-retryablehttp is served; 0 is nine tenths
}

func (j *twoLevelsJob) run(t testing.TB, ours bool) (api *twoLevels) {
	chance.Bubble(t, func(t testing.TB) {
		rng := rand.New(rand.NewPCG(rand.Uint64(), 77))
		channel := j.channel
		api = &twoLevels{
			channels: map[string]ratemodel.Model{}, channel: channel, account: j.account(),
			told: true, scoped: true, waits: true, rng: rng,
		}
		if j.set != nil {
			j.set(api)
		}
		time.Sleep(time.Duration(rng.Int64N(int64(time.Minute))))
		c := retrying(api)
		if ours {
			rt, err := client.NewTransport(api)
			require.NoError(t, err)
			defer rt.Close()
			c = &http.Client{Transport: rt}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for i := range j.callers {
			all.Go(func() {
				rng := rand.New(rand.NewPCG(rand.Uint64(), uint64(i)))
				for ctx.Err() == nil {
					channel, kind := i%j.channels, i%max(j.kinds, 1)
					if !j.own {
						channel, kind = rng.IntN(j.channels), rng.IntN(max(j.kinds, 1))
					}
					ctx := ctx
					if j.scopes {
						ctx = client.WithScope(ctx, strconv.Itoa(channel))
					}
					req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("https://api.test/channels/%d/%s", 100000000000000000+channel, []string{"messages", "pins", "invites", "typing"}[kind]), nil)
					require.NoError(t, err)
					resp, err := c.Do(req)
					if err == nil {
						resp.Body.Close()
					}
					if ctx.Err() == nil && (err != nil || resp.StatusCode != http.StatusOK) {
						time.Sleep(100 * time.Millisecond)
					}
				}
			})
		}
		all.Wait()
	})
	return api
}

func fixedOf(n int, per time.Duration) func() ratemodel.Model {
	return func() ratemodel.Model { return ratemodel.NewFixed(n, per) }
}

func fromFirstOf(n int, per time.Duration) func() ratemodel.Model {
	return func() ratemodel.Model {
		m := ratemodel.NewFixed(n, per)
		m.FromFirst = true
		return m
	}
}

func rollingOf(n int, per time.Duration) func() ratemodel.Model {
	return func() ratemodel.Model { return ratemodel.NewSlidingLog(n, per) }
}

func bucketOf(n int, per time.Duration) func() ratemodel.Model {
	return func() ratemodel.Model { return ratemodel.NewBucket(n, n, per) }
}

// A limit of the account that shows only in refusals, above announced ones of channels, is used as by a client that only
// retries, with a fraction of its refusals.
func TestSilentLimitAboveAnnouncedOnes(t *testing.T) {
	t.Parallel()
	figures(t)
	five, second := fromFirstOf(5, 5*time.Second), fixedOf(50, time.Second)
	bare := func(a *twoLevels) { a.waits = false }
	for _, j := range []twoLevelsJob{
		{name: "waits", account: second, channel: five, channels: 60, callers: 100},
		{name: "whole seconds", account: second, channel: five, channels: 60, callers: 100, set: func(a *twoLevels) { a.whole = true }},
		{name: "no waits", account: second, channel: five, channels: 60, callers: 100, set: bare},
		{name: "no scope", account: second, channel: five, channels: 60, callers: 100, set: func(a *twoLevels) { a.scoped = false }},
		{name: "routes, no scope", account: second, channel: five, channels: 20, callers: 60, kinds: 4, set: func(a *twoLevels) { a.scoped = false }},
		{name: "routes, no waits", account: second, channel: five, channels: 20, callers: 60, kinds: 4, set: bare},
		{name: "scopes", account: second, channel: five, channels: 60, callers: 100, scopes: true},
		{name: "channels of callers", account: second, channel: five, channels: 60, callers: 200, own: true},
		{name: "few callers", account: second, channel: fromFirstOf(10, 5*time.Second), channels: 40, callers: 20},
		{name: "bucket", account: bucketOf(50, time.Second), channel: five, channels: 60, callers: 100},
		{name: "rolling", account: rollingOf(50, time.Second), channel: five, channels: 60, callers: 100},
		{name: "100 in 10 s", account: fixedOf(100, 10*time.Second), channel: five, channels: 40, callers: 40},
	} {
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			chance.Test(t, func(t testing.TB) {
				plain, ours := j.beside(t)
				assert.Less(t, 4*ours.refused, plain.refused)
				assert.Less(t, 20*ours.refusedOne, plain.refusedOne)
			})
		})
	}
}

// A limit of the account that responses tell beside that of each channel, of which all have the same, is used in full.
func TestLimitsOfTwoLevelsAreToldApart(t *testing.T) {
	t.Parallel()
	figures(t)
	five, second := fromFirstOf(5, 5*time.Second), fixedOf(50, time.Second)
	for _, j := range []twoLevelsJob{
		{name: "channels", account: second, channel: five, channels: 60, callers: 100},
		{name: "channels of callers", account: second, channel: five, channels: 60, callers: 100, own: true},
		{name: "channels, minutes", account: fixedOf(600, time.Minute), channel: fixedOf(20, time.Minute), channels: 40, callers: 60},
		{name: "routes", account: second, channel: fixedOf(15, time.Second), channels: 1, callers: 60, kinds: 4},
		{name: "routes, minutes", account: fixedOf(300, time.Minute), channel: fixedOf(100, time.Minute), channels: 1, callers: 60, kinds: 4},
	} {
		j.set = func(a *twoLevels) { a.above = true }
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			chance.Test(t, func(t testing.TB) {
				_, ours := j.beside(t)
				assert.LessOrEqual(t, ours.refused+ours.refusedOne, 3)
			})
		})
	}
}

// A limit of each channel that shows only in refusals, beside one that is announced, holds the other channels for a while only.
func TestSilentLimitOfChannelsBesideAnnouncedOnes(t *testing.T) {
	t.Parallel()
	figures(t)
	for _, waits := range []bool{true, false} {
		j := twoLevelsJob{
			name: fmt.Sprint("names waits: ", waits), account: fixedOf(1000000, time.Second), channels: 20, callers: 40, least: .7,
			channel: func() ratemodel.Model {
				return ratemodel.All{fromFirstOf(10, 5*time.Second)(), fixedOf(2, time.Second)()}
			},
			set: func(a *twoLevels) { a.waits = waits },
		}
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			chance.Test(t, func(t testing.TB) {
				plain, ours := j.beside(t)
				assert.Less(t, 4*ours.refusedOne, plain.refusedOne)
			})
		})
	}
}

// beside returns what becomes of the job with a client that only retries, and with ours, which has to be served about as much.
func (j *twoLevelsJob) beside(t testing.TB) (plain, ours *twoLevels) {
	plain, ours = j.run(t, false), j.run(t, true)
	part := float64(ours.served) / float64(plain.served)
	t.Logf("%s: %.2f of %d; refused %d and %d for the account, %d and %d for a channel", j.name,
		part, plain.served, ours.refused, plain.refused, ours.refusedOne, plain.refusedOne)
	assert.GreaterOrEqual(t, part, cmp.Or(j.least, .9))
	return plain, ours
}
