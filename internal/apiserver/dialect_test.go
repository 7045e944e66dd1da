package apiserver

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

// twoWindows is a server 17.3 s into a minute with 10 a second and 100 a minute.
func twoWindows(t *testing.T, d Dialect, change ...func(*Config)) *Server {
	t.Helper()
	c := newClock()
	c.move(17300 * time.Millisecond)
	s, err := build(Config{Now: c.Now, NoDate: true, Rules: []Rule{{Dialect: d, Model: func(string) ratemodel.Model {
		second, minute := ratemodel.NewFixed(10, time.Second), ratemodel.NewFixed(100, time.Minute)
		second.Name, minute.Name = "persec", "permin"
		return ratemodel.All{second, minute}
	}}}}, change)
	require.NoError(t, err)
	return s
}

// limits returns the fields that tell of limits, as a client gets them.
func limits(h http.Header) map[string]string {
	m := map[string]string{}
	for name := range h {
		if name != "Content-Type" && h.Get(name) != "" {
			m[name] = h.Get(name)
		}
	}
	return m
}

// The noon of newClock is 1709208000.
func TestFieldsOfEachDialect(t *testing.T) {
	for name, c := range map[string]struct {
		dialect Dialect
		want    map[string]string
	}{
		"silent": {Dialect{}, map[string]string{}},
		"epoch": {Dialect{Fields: XRateLimit}, map[string]string{
			"X-Ratelimit-Limit": "10", "X-Ratelimit-Remaining": "9", "X-Ratelimit-Reset": "1709208018",
		}},
		"delta": {Dialect{Fields: XRateLimit, Form: Delta}, map[string]string{
			"X-Ratelimit-Limit": "10", "X-Ratelimit-Remaining": "9", "X-Ratelimit-Reset": "1",
		}},
		"suffixed": {Dialect{Fields: Suffixed}, map[string]string{
			"X-Ratelimit-Limit-Persec": "10", "X-Ratelimit-Remaining-Persec": "9", "X-Ratelimit-Reset-Persec": "1709208018",
			"X-Ratelimit-Limit-Permin": "100", "X-Ratelimit-Remaining-Permin": "99", "X-Ratelimit-Reset-Permin": "1709208060",
		}},
		"draft 03": {Dialect{Fields: Draft03}, map[string]string{
			"Ratelimit-Limit": "10", "Ratelimit-Remaining": "9", "Ratelimit-Reset": "1",
		}},
		"draft 06": {Dialect{Fields: Draft03 | Policy}, map[string]string{
			"Ratelimit-Limit": "10", "Ratelimit-Remaining": "9", "Ratelimit-Reset": "1",
			"Ratelimit-Policy": "10;w=1, 100;w=60",
		}},
		"draft 07": {Dialect{Fields: Draft07 | Policy}, map[string]string{
			"Ratelimit": "limit=10, remaining=9, reset=1", "Ratelimit-Policy": "10;w=1, 100;w=60",
		}},
		"structured": {Dialect{Fields: Structured}, map[string]string{
			"Ratelimit":        `"persec";r=9;t=1, "permin";r=99;t=43`,
			"Ratelimit-Policy": `"persec";q=10;w=1, "permin";q=100;w=60`,
		}},
		"structured, exact": {Dialect{Fields: Structured, Rounding: Exact}, map[string]string{
			"Ratelimit":        `"persec";r=9;t=1, "permin";r=99;t=43`,
			"Ratelimit-Policy": `"persec";q=10;w=1, "permin";q=100;w=60`,
		}},
		"structured, down": {Dialect{Fields: Structured, Rounding: Floor}, map[string]string{
			"Ratelimit":        `"persec";r=9;t=0, "permin";r=99;t=42`,
			"Ratelimit-Policy": `"persec";q=10;w=1, "permin";q=100;w=60`,
		}},
	} {
		w := get(twoWindows(t, c.dialect), "k")
		require.Equal(t, 200, w.Code)
		require.Equal(t, c.want, limits(w.Header()), name)
	}
}

func TestUnnamedAndResetless(t *testing.T) {
	bucket := func(string) ratemodel.Model {
		b := ratemodel.NewBucket(10, 20, time.Second) // fills in half a second
		b.Reset = ratemodel.ResetNone
		return b
	}
	c := newClock()
	s, err := New(Config{Now: c.Now, NoDate: true, Rules: []Rule{{Model: bucket, Dialect: Dialect{
		Fields: Suffixed | Draft03 | Draft07 | Policy, RetryAfter: Seconds,
	}}}})
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"X-Ratelimit-Limit": "10", "X-Ratelimit-Remaining": "9",
		"Ratelimit-Limit": "10", "Ratelimit-Remaining": "9",
		"Ratelimit": "limit=10, remaining=9", "Ratelimit-Policy": "10",
	}, limits(get(s, "k").Header()))

	s, err = New(Config{Now: c.Now, NoDate: true, Rules: []Rule{{Model: bucket, Dialect: Dialect{Fields: Structured}}}})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"Ratelimit": `"default";r=9`, "Ratelimit-Policy": `"default";q=10`},
		limits(get(s, "k").Header()))
}

func TestSeconds(t *testing.T) {
	for _, c := range []struct {
		in                          time.Duration
		floor, ceil, nearest, exact string
	}{
		{0, "0", "0", "0", "0.000"},
		{time.Nanosecond, "0", "1", "0", "0.001"},
		{499 * time.Millisecond, "0", "1", "0", "0.499"},
		{500 * time.Millisecond, "0", "1", "1", "0.500"},
		{time.Second, "1", "1", "1", "1.000"},
		{12345678 * time.Microsecond, "12", "13", "12", "12.346"},
		{1709208000_700 * time.Millisecond, "1709208000", "1709208001", "1709208001", "1709208000.700"},
	} {
		got := []string{
			seconds(int64(c.in), Floor), seconds(int64(c.in), Ceil),
			seconds(int64(c.in), Nearest), seconds(int64(c.in), Exact),
		}
		require.Equal(t, []string{c.floor, c.ceil, c.nearest, c.exact}, got, c.in)
	}
}

func TestTimestamp(t *testing.T) {
	at := newClock().now.Add(700*time.Millisecond + 1)
	for rounding, want := range map[Rounding]string{
		Ceil: "2024-02-29T12:00:01Z", Floor: "2024-02-29T12:00:00Z",
		Nearest: "2024-02-29T12:00:01Z", Exact: "2024-02-29T12:00:00.701Z",
	} {
		require.Equal(t, want, Dialect{Rounding: rounding}.timestamp(at), rounding)
	}
}

func TestRefusalsTellWhenToComeBack(t *testing.T) {
	ahead := func(c *Config) { c.ClockOffset = 95400 * time.Millisecond }
	refuse := func(d Dialect) (http.Header, map[string]any) {
		s := twoWindows(t, d, ahead)
		for range 10 {
			require.Equal(t, 200, get(s, "k").Code)
		}
		w := get(s, "k")
		require.Equal(t, 429, w.Code)
		var body map[string]any
		decode(t, w, &body)
		return w.Header(), body
	}
	h, body := refuse(Dialect{})
	require.Empty(t, limits(h))
	require.NotContains(t, body, "retry_after")

	h, body = refuse(Dialect{RetryAfter: Seconds})
	require.Equal(t, map[string]string{"Retry-After": "1"}, limits(h))
	require.NotContains(t, body, "retry_after")

	// 12:00:18 and 95.4 s.
	h, _ = refuse(Dialect{RetryAfter: HTTPDate})
	require.Equal(t, map[string]string{"Retry-After": "Thu, 29 Feb 2024 12:01:54 GMT"}, limits(h))

	h, body = refuse(Dialect{RetryAfter: InBody})
	require.Empty(t, limits(h))
	require.Equal(t, "2024-02-29T12:01:54Z", body["retry_after"])
}

func TestClockOffsetShiftsDateAndEpochAlike(t *testing.T) {
	change := func(c *Config) { c.NoDate, c.ClockOffset = false, -95*time.Second }
	h := get(twoWindows(t, Dialect{Fields: Suffixed | Draft03}, change), "k").Header()
	require.Equal(t, "Thu, 29 Feb 2024 11:58:42 GMT", h.Get("Date"))
	require.Equal(t, "1709207965", h.Get("X-RateLimit-Reset-Permin"))
	require.Equal(t, "1", h.Get("RateLimit-Reset"), "a delay is the same by every clock")
}

func TestSetClockOffset(t *testing.T) {
	s := twoWindows(t, Dialect{Fields: Suffixed}, func(c *Config) { c.NoDate = false })
	s.SetClockOffset(-95 * time.Second)
	h := get(s, "k").Header()
	require.Equal(t, "Thu, 29 Feb 2024 11:58:42 GMT", h.Get("Date"))
	require.Equal(t, "1709207965", h.Get("X-RateLimit-Reset-Permin"))
}

func TestRefusalNamesTheWindowThatOpensLast(t *testing.T) {
	named := func(name string, length time.Duration) ratemodel.Model {
		f := ratemodel.NewFixed(2, length)
		f.Name = name
		return f
	}
	for _, order := range []ratemodel.All{
		{named("second", time.Second), named("minute", time.Minute)},
		{named("minute", time.Minute), named("second", time.Second)},
	} {
		var got Refusal
		c := newClock()
		s, err := New(Config{Now: c.Now, ClockOffset: time.Hour, Rules: []Rule{{
			Model: func(string) ratemodel.Model { return order },
			Body:  func(f Refusal) any { got = f; return "no" },
		}}})
		require.NoError(t, err)
		require.Equal(t, 200, get(s, "k").Code)
		require.Equal(t, 200, get(s, "k").Code)
		w := get(s, "k")
		require.JSONEq(t, `"no"`, w.Body.String())
		require.Equal(t, "minute", got.Window.Name)
		require.Equal(t, "k", got.Key)
		require.Equal(t, time.Minute, got.Wait)
		require.Equal(t, c.Now().Add(time.Hour+time.Minute), got.Until)
		require.Equal(t, got.Until, got.Reset)
	}
}

func TestNoWindowsNothingToAnnounce(t *testing.T) {
	s, err := New(Config{NoDate: true, Rules: []Rule{{
		Model:   func(string) ratemodel.Model { return ratemodel.All{} },
		Dialect: Dialect{Fields: XRateLimit | Suffixed | Draft03 | Policy | Structured},
	}}})
	require.NoError(t, err)
	require.Empty(t, limits(get(s, "k").Header()))
}
