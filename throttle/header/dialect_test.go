package header

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

func TestDialectHosts(t *testing.T) {
	d := Dialect{Hosts: []string{"api.Example.com", ".example.org"}}
	for host, want := range map[string]bool{
		"api.example.com": true, "API.EXAMPLE.COM:443": true, "api.example.com.": true, "x.example.com": false, "xapi.example.com": false, "example.com": false,
		"a.example.org": true, "a.b.example.org": true, "example.org": true, "badexample.org": false, "": false,
	} {
		assert.Equal(t, want, d.speaks(plainHost(host)), host)
	}
}

func TestDialect(t *testing.T) {
	rd, err := NewReader("api.example.com:443", Dialect{
		Name:  "example",
		Hosts: []string{"api.example.com"},
		Fields: map[string]Field{
			"x-ratelimit-reset": {Role: ResetTime, Unit: time.Millisecond},
			"X-Quux":            {Role: Remaining, Window: "quux", Length: time.Hour, Counts: "quuxes"},
			"X-Quux-Max":        {Role: Limit, Window: "quux"},
			"X-RateLimit-Used":  {Role: Ignore},
			"X-Pause":           {Role: RetryAfter, Unit: time.Minute},
		},
	})
	require.NoError(t, err)
	h := headerOf("X-RateLimit-Limit", "10", "X-RateLimit-Remaining", "3", "X-RateLimit-Used", "9", "X-RateLimit-Reset", "42000",
		"X-Quux", "5", "X-Pause", "2")
	h["x-quux-max"] = []string{"20"}
	var r Reading
	for range 3 { // also from memory
		rd.Read(&r, http.StatusOK, h, nil, benchNow)
		require.Len(t, r.Windows, 2)
		assert.Equal(t, "default 10 3 - @42s", brief(r.Windows[0]))
		assert.Equal(t, "quux 20 5 - len=1h0m0s unit=quuxes", brief(r.Windows[1]))
		assert.False(t, r.Wait.Known())
	}
	rd.Read(&r, http.StatusTooManyRequests, h, nil, benchNow)
	assert.Equal(t, 2*time.Minute, r.Wait.Delay)

	// Another host does not speak it.
	other, err := NewReader("api.example.net", Dialect{Hosts: []string{"api.example.com"},
		Fields: map[string]Field{"X-Quux": {Role: Remaining}}})
	require.NoError(t, err)
	other.Read(&r, http.StatusOK, headerOf("X-Quux", "5"), nil, benchNow)
	assert.Empty(t, r.Windows)
}

// A later dialect wins, and the caller's win over those of the package.
func TestDialectOrder(t *testing.T) {
	seconds := Dialect{Fields: map[string]Field{"X-RateLimit-Reset": {Role: ResetTime, Unit: time.Second}}}
	for _, tt := range []struct {
		host string
		more []Dialect
		want time.Duration
	}{
		{"app.skuvault.com", nil, 42 * time.Second},
		{"app.skuvault.com", []Dialect{seconds}, 42000 * time.Second},
		{"example.com", nil, 42000 * time.Second},
	} {
		rd, err := NewReader(tt.host, tt.more...)
		require.NoError(t, err)
		var r Reading
		rd.Read(&r, http.StatusOK, headerOf("X-RateLimit-Reset", "42000"), nil, benchNow)
		assert.Equal(t, tt.want, r.Windows[0].Reset.In, tt.host)
	}
}

func TestDialectPeriods(t *testing.T) {
	rd, err := NewReader("h", Dialect{Periods: []Period{{Name: "quarter", Length: 15 * time.Minute, Aligned: true}, {Name: "day", Length: scan.Day}}})
	require.NoError(t, err)
	var r Reading
	rd.Read(&r, http.StatusOK, headerOf("X-RateLimit-Limit", "200,2000", "X-RateLimit-Usage", "60,1150"), nil, benchNow.Add(time.Minute))
	require.Len(t, r.Windows, 2)
	assert.Equal(t, "quarter 200 140 60 @2026-03-01T12:15:00Z len=15m0s", brief(r.Windows[0]))
	assert.Equal(t, "day 2000 850 1150 len=24h0m0s", brief(r.Windows[1]))

	rd.Read(&r, http.StatusOK, headerOf("X-RateLimit-Limit", "200", "X-RateLimit-Usage", "60"), nil, benchNow)
	require.Len(t, r.Windows, 1)
	assert.Equal(t, "default 200 140 60", brief(r.Windows[0]), "that was no list")
}

func TestDialectErrors(t *testing.T) {
	for want, d := range map[string]Dialect{
		`header: dialect "d": a field without a name`:      {Name: "d", Fields: map[string]Field{"": {}}},
		`header: dialect "d": field "X": no such role: 99`: {Name: "d", Fields: map[string]Field{"X": {Role: 99}}},
		`header: dialect "d": field "X": negative time`:    {Name: "d", Fields: map[string]Field{"X": {Unit: -1}}},
		`header: dialect "e": field "X": negative time`:    {Name: "e", Fields: map[string]Field{"X": {Length: -1}}},
		`header: dialect "d": period "p": negative time`:   {Name: "d", Periods: []Period{{Name: "p", Length: -1}}},
		`header: dialect "o": field "X": no such role: 99`: {Name: "o", Hosts: []string{"other"}, Fields: map[string]Field{"X": {Role: 99}}},
	} {
		_, err := NewReader("h", d)
		assert.EqualError(t, err, want)
	}
}

func TestNamed(t *testing.T) {
	d, err := Named("mulesoft")
	require.NoError(t, err)
	assert.Equal(t, "mulesoft", d.Name)
	_, err = Named("esperanto")
	assert.EqualError(t, err, `header: no dialect is named "esperanto"`)
}

// The package's own table is in order: names are unique, everything compiles.
func TestDialectTable(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range dialects {
		assert.NotEmpty(t, d.Name)
		assert.False(t, seen[d.Name], d.Name)
		seen[d.Name] = true
		assert.NoError(t, d.compile(fields{}), d.Name)
	}
}

// What no rule reads in a body, a dialect's own can.
func TestDialectReadsBodies(t *testing.T) {
	rd, err := NewReader("api.test", Dialect{Name: "own", Bodies: true, Body: func(status int, body []byte) (time.Duration, bool, bool) {
		return 7 * time.Second, string(body) == "busy", status == http.StatusOK && string(body) == "busy"
	}})
	require.NoError(t, err)
	require.True(t, rd.NeedsBody(http.StatusOK, http.Header{"Content-Type": {"text/plain"}}))
	var r Reading
	rd.Read(&r, http.StatusOK, http.Header{}, []byte("busy"), time.Now())
	require.True(t, r.Refused)
	require.Equal(t, 7*time.Second, r.Wait.Delay)
	require.True(t, r.Wait.Explicit)

	rd.Read(&r, http.StatusOK, http.Header{}, []byte("fine"), time.Now())
	require.False(t, r.Refused)
	require.False(t, r.Wait.Known())

	// A longer wait that the server names in a usual way is not shortened.
	rd.Read(&r, http.StatusTooManyRequests, http.Header{"Retry-After": {"60"}}, []byte("busy"), time.Now())
	require.Equal(t, time.Minute, r.Wait.Delay)
}

// Only a host of which it is known turns requests away with an empty 204.
func TestRefusalWithoutContent(t *testing.T) {
	for host, want := range map[string]bool{"www.virustotal.com": true, "api.example.com": false} {
		rd, err := NewReader(host)
		require.NoError(t, err)
		for range 3 { // also once the shape of the response is known
			var r Reading
			rd.Read(&r, http.StatusNoContent, headerOf("Server", "x"), nil, benchNow)
			assert.Equal(t, want, r.Refused, host)
			rd.Read(&r, http.StatusOK, headerOf("Server", "x"), nil, benchNow)
			assert.False(t, r.Refused, host)
		}
	}
}

// A field that the grammar believes only beside others is believed alone when a dialect
// tells what it is.
func TestDialectOfVagueField(t *testing.T) {
	rd, err := NewReader("a.test", Dialect{Fields: map[string]Field{"X-Acme-Remaining": {Role: Remaining}}})
	require.NoError(t, err)
	var r Reading
	rd.Read(&r, 200, headerOf("X-Acme-Remaining", "7"), nil, benchNow)
	require.Len(t, r.Windows, 1)
	assert.EqualValues(t, 7, r.Windows[0].Remaining.Value)
}

// TestKnownForRefusals reads a 500 in JSON as a refusal only of a host that is known for it, and
// only if its error says so.
func TestKnownForRefusals(t *testing.T) {
	h := headerOf("Content-Type", "application/json")
	for _, c := range []struct {
		host, body string
		needed     bool
		refused    bool
	}{
		{"www.space-track.org", `{"error":"You've violated your query rate limit."}`, true, true},
		{"www.space-track.org", `{"error":"The query could not be parsed."}`, true, false},
		{"www.space-track.org", `{"note":"Too many requests make queries slow"}`, true, false},
		{"api.example.com", `{"error":"You've violated your query rate limit."}`, false, false},
	} {
		rd, err := NewReader(c.host)
		require.NoError(t, err)
		assert.Equal(t, c.needed, rd.NeedsBody(http.StatusInternalServerError, h), c.host)
		var r Reading
		rd.Read(&r, http.StatusInternalServerError, h, []byte(c.body), benchNow)
		assert.Equal(t, c.refused, r.Refused, "%s: %s", c.host, c.body)
		if c.refused {
			r.Read(http.StatusInternalServerError, h, []byte(c.body), benchNow)
			assert.False(t, r.Refused, "the host is forgotten")
		}
	}
}

// TestTimePenalty reads the ticket that Tradovate sends in place of an answer.
func TestTimePenalty(t *testing.T) {
	rd, err := NewReader("live.tradovateapi.com")
	require.NoError(t, err)
	for body, refused := range map[string]bool{
		`{"p-ticket":"a","p-time":15}`:          true,
		`{"p-ticket":"a","p-captcha":true}`:     true,
		`{"orderId":7,"p-time":15}`:             false,
		`{"order":{"p-ticket":"a","p-time":3}}`: false,
	} {
		var r Reading
		rd.Read(&r, http.StatusOK, headerOf("Content-Type", "application/json"), []byte(body), benchNow)
		assert.Equal(t, refused, r.Refused, body)
		assert.Equal(t, refused && strings.Contains(body, "p-time"), r.Wait.Known(), body)
	}
}
