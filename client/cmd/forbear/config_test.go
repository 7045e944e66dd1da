package main

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/forbear-go/forbear/queue"
	"github.com/stretchr/testify/require"
)

func newFlags() *flag.FlagSet { return flag.NewFlagSet("proxy", flag.ContinueOnError) }

func TestConfig(t *testing.T) {
	c, err := parseConfig("conf", strings.NewReader(`
# everything
to /github https://api.github.com   # a comment
to /       "https://api.test/v1"
name x-team
rule hourly limit=300/1h limit=10/1s:burst=5
rule files match="POST /files/{id}" in-flight=2 scope=global limit=1/1m30s
`))
	require.NoError(t, err)
	require.Equal(t, []string{"/github/", "/"}, []string{c.upstreams[0].prefix, c.upstreams[1].prefix})
	require.Equal(t, "https://api.test/v1", c.upstreams[1].url.String())
	require.Equal(t, "X-Team", c.nameField)
	require.Equal(t, []queue.Quota{queue.PerHour(300), queue.PerSecond(10).TokenBucket(5)}, c.rules[0].Limits)
	require.Equal(t, queue.Rule{
		Name: "files", Pattern: "POST /files/{id}", Scope: queue.Global, MaxInFlight: 2, Limits: []queue.Quota{queue.Per(1, 90*time.Second)},
	}, c.rules[1])
}

// An error says in which line, and what about.
func TestConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		"\nfoo":                        `conf:2: unknown directive "foo"`,
		"to /":                         "conf:1: to: want a path and a URL",
		"to x https://a.test":          `conf:1: to: path "x"`,
		"to /-/x https://a.test":       "conf:1: to: path",
		"to /a%20b https://a.test":     "conf:1: to: path",
		"to / a.test":                  "conf:1: to: ",
		"to / https://":                "conf:1: to: ",
		"to / https://u:secret@a.test": "conf:1: to: the URL of a.test must have no user",
		"to / https://a.test\nto / http://b.test": "conf:2: to: there is an upstream for / already",
		"name":                                    "conf:1: name: ",
		"name a:b":                                "conf:1: name: ",
		"name a\nname b":                          "conf:2: name: there is one already",
		"rule x":                                  "conf:1: rule: want a name",
		"rule x limit=5":                          "conf:1: rule x: limit: ",
		"rule x limit=5/0s":                       "conf:1: rule x: limit: ",
		"rule x limit=5/1s:burst=0":               "conf:1: rule x: limit: want a positive burst",
		"rule x limit=1/1s scope=all":             "conf:1: rule x: scope: ",
		"rule x in-flight=-1":                     "conf:1: rule x: in-flight: ",
		"rule x burst=1":                          `conf:1: rule x: unknown field "burst"`,
		"\n\nrule x match=\"GET\" limit=1/1s":     "conf:3: rule x: ",
		"rule x limit=1/1s\nrule x limit=1/1s":    "conf:2: rule: there is a rule x already",
		`to "/ https://a.test`:                    "conf:1: missing quotation mark",
		"rule x scope=global":                     "conf:1: rule x: ",
		"to /- https://a.test":                    `conf:1: to: path "/-"`,
		"to / ht!tp://u:secret@a.test":            "conf:1: to: want a URL",
		"to / ftp://u:secret@a.test":              "conf:1: to: want a URL",
		"name Authorization":                      "conf:1: name: Authorization is a credential",
		"name cookie":                             "conf:1: name: cookie is a credential",
		"name x-api-key":                          "conf:1: name: x-api-key is a credential",
		"name DD-APPLICATION-KEY":                 "is a credential",
		"rule x match=GET limit=1/1s":             "conf:1: rule x: match: ",
		"rule x match limit=1/1s":                 "conf:1: rule x: match: want a pattern",
		"rule x match=/a":                         "conf:1: rule x: want a limit or in-flight",
		"rule x limit=1/1s scope=key scope=key":   "conf:1: rule x: scope: there is one already",
		"rule x limit=99999999999/1s":             "conf:1: rule x: queue: ",
		"name a\n" + strings.Repeat("x", 100_000): "conf:2: longer than 65536 bytes",
	} {
		_, err := parseConfig("conf", strings.NewReader(text))
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "secret")
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("to / https://api.test\nrule a limit=1/1s match=\"GET /\" # x\nname X")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseConfig("conf", strings.NewReader(text))
		require.Equal(t, c == nil, err != nil)
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "conf:"))
		}
	})
}

// Some editors begin a file with a mark, and end lines as Windows does.
func TestConfigOfOtherEditors(t *testing.T) {
	c, err := parseConfig("conf", strings.NewReader("\ufeffto / https://api.test\r\nname X-Tenant\r\n"))
	require.NoError(t, err)
	require.Equal(t, "https://api.test", c.upstreams[0].url.String())
	require.Equal(t, "X-Tenant", c.nameField)
}
