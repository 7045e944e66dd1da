package cost_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/cost"
)

func response(fields ...string) *http.Response {
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}}
	for i := 0; i < len(fields); i += 2 {
		resp.Header.Set(fields[i], fields[i+1])
	}
	return resp
}

// events is a stream of chat completion chunks whose last but one tells usage.
func events(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1726012687,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word%d \"},\"finish_reason\":null}],\"usage\":null}\n\n", i)
	}
	s.WriteString("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":13,\"completion_tokens\":400,\"total_tokens\":413,\"prompt_tokens_details\":{\"cached_tokens\":0}}}\n\ndata: [DONE]\n\n")
	return s.String()
}

var told = []struct {
	name, api, model, body string
	want                   cost.Units
}{
	{
		"chat", "openai", "", `{"id":"x","choices":[{"message":{"content":"he said \"usage\":{\"total_tokens\":1}"}}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`,
		cost.Units{"tokens": 7, "input-tokens": 3, "output-tokens": 4},
	},
	{"stream", "openai", "", events(20), cost.Units{"tokens": 413, "input-tokens": 13, "output-tokens": 400}},
	{
		"responses stream", "openai", "", "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"usage\":{\"input_tokens\":36,\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":87,\"total_tokens\":123}}}\n\n",
		cost.Units{"tokens": 123, "input-tokens": 36, "output-tokens": 87},
	},
	{"embeddings", "azure-openai", "", `{"data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}`, cost.Units{"tokens": 8, "input-tokens": 8}},
	{
		"anthropic stream", "anthropic", "", "event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":25,\"cache_creation_input_tokens\":5,\"cache_read_input_tokens\":900,\"output_tokens\":1}}}\n\nevent: message_delta\ndata: {\"usage\":{\"output_tokens\":15}}\n\n",
		cost.Units{"input-tokens": 30, "output-tokens": 15},
	},
	{
		"a tool that is given usage", "anthropic", "", `{"content":[{"type":"tool_use","input":{"usage":{"output_tokens":999}}}],"usage" : {"input_tokens" : 2, "output_tokens" : 3}}`,
		cost.Units{"input-tokens": 2, "output-tokens": 3},
	},
	{
		"gemini", "gemini", "", `[{"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":1}},{"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":6,"thoughtsTokenCount":4,"totalTokenCount":20}}]`,
		cost.Units{"tokens": 10, "input-tokens": 10, "output-tokens": 10},
	},
	{
		"converse stream", "bedrock", "us.anthropic.claude-sonnet-4-v1:0", "\x00\x00\x00\x9d\x07contentType{\"metrics\":{},\"usage\":{\"inputTokens\":3000,\"cacheWriteInputTokens\":1000,\"outputTokens\":1000}}\xff\x01",
		cost.Units{"tokens": 9000},
	},
	{"burndown of an older model", "bedrock", "anthropic.claude-3-haiku-v1:0", `{"usage":{"input_tokens":10,"output_tokens":20}}`, cost.Units{"tokens": 30}},
	{"points", "github", "", `{"data":{"rateLimit":{"limit":5000,"cost":3,"remaining":4997}}}`, cost.Units{"points": 3}},
	{"query cost", "shopify", "", `{"data":{},"extensions":{"cost":{"requestedQueryCost":101,"actualQueryCost":46,"throttleStatus":{"maximumAvailable":1000}}}}`, cost.Units{"points": 46}},
	{"complexity", "monday", "", `{"data":{"complexity":{"before":4995858,"query":4142,"after":4991716}}}`, cost.Units{"complexity": 4142}},

	{"nothing", "openai", "", `{"choices":[]}`, nil},
	{"null", "openai", "", `{"usage":null}`, nil},
	{"null after a number", "openai", "", `{"usage":{"total_tokens":7}}{"usage":null}{"usage":{"total_tokens":null}}`, cost.Units{"tokens": 7}},
	{"negative", "openai", "", `{"usage":{"total_tokens":-7,"prompt_tokens":3}}`, cost.Units{"input-tokens": 3}},
	{"absurd", "openai", "", `{"usage":{"total_tokens":1e300}}`, nil},
	{"one of two absurd", "anthropic", "", `{"usage":{"input_tokens":5,"cache_creation_input_tokens":9e99}}`, nil},
	{"not a number", "openai", "", `{"usage":{"total_tokens":"NaN","prompt_tokens":{},"completion_tokens":[1]}}`, nil},
	{"cut off in the number", "openai", "", `{"usage":{"prompt_tokens":3,"total_tokens":41`, nil},
	{"a list in place of an object", "openai", "", `{"usage":[{"total_tokens":41}]}`, nil},
	{"a string in place of an object", "openai", "", `{"usage":"total_tokens"}`, nil},
	{"the name as a value", "openai", "", `{"kind":"usage","usage":{"total_tokens":5}}`, cost.Units{"tokens": 5}},
	{"too long a value", "openai", "", `{"usage":{"total_tokens":5,"x":"` + strings.Repeat("y", 10_000) + `","prompt_tokens":3}}`, cost.Units{"tokens": 5}},
}

func TestMeterFindsWhatAResponseTells(t *testing.T) {
	t.Parallel()
	for _, c := range told {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for size := 1; size <= min(len(c.body), 300); size++ {
				m := cost.Named(c.api).Meter(response(), c.model)
				for rest := []byte(c.body); len(rest) > 0; {
					n := min(size, len(rest))
					_, err := m.Write(rest[:n])
					require.NoError(t, err)
					rest = rest[n:]
				}
				require.Equal(t, c.want, m.Used(), "in pieces of %d bytes", size)
			}
		})
	}
}

func TestMeterReadsHeaderFields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		api, field, value string
		want              cost.Units
	}{
		{"mistral", "x-ratelimit-tokens-query-cost", "18", cost.Tokens(18)},
		{"linear", "x-complexity", "73", cost.Units{"complexity": 73}},
		{"cosmos", "x-ms-request-charge", "5.25", cost.Units{"request-units": 5.25}},
		{"cosmos", "x-ms-request-charge", "-5", nil},
		{"cosmos", "x-ms-request-charge", "0x10", nil},
		{"cosmos", "x-ms-request-charge", "Inf", nil},
	} {
		m := cost.Named(c.api).Meter(response(c.field, c.value), "")
		assert.Equal(t, c.want, m.Used(), c.value)
	}
}

func TestMeterLeavesSomeBodiesAlone(t *testing.T) {
	t.Parallel()
	api := cost.Named("openai")
	assert.Nil(t, api.Meter(response("Content-Encoding", "br"), ""))
	head := response()
	head.Request = &http.Request{Method: http.MethodHead}
	assert.Nil(t, api.Meter(head, ""))
	upgraded := response()
	upgraded.StatusCode = http.StatusSwitchingProtocols
	assert.Nil(t, api.Meter(upgraded, ""))
	assert.Nil(t, cost.Named("binance").Meter(response(), ""))
	assert.Nil(t, api.Meter(nil, ""))
}

// A program's own entry may look for several names at once.
func TestMeterLooksForSeveralNames(t *testing.T) {
	t.Parallel()
	api := cost.API{Body: []cost.Term{
		{Field: "meta.credits_used", Unit: "credits"},
		{Field: "points", Unit: "points", Times: 2},
		{Field: "bytes_read", Unit: "bytes"},
	}}
	body := strings.Repeat(`{"points":1}`, 100) + `{"meta":{"page":1,"credits_used":4}}` + strings.Repeat(`{"points":3}`, 100) + `{"bytes_read":12}`
	for size := range 60 {
		m := api.Meter(response(), "")
		for rest := body; rest != ""; {
			n := min(size+1, len(rest))
			_, err := io.WriteString(m, rest[:n])
			require.NoError(t, err)
			rest = rest[n:]
		}
		require.Equal(t, cost.Units{"credits": 4, "points": 6, "bytes": 12}, m.Used(), "in pieces of %d bytes", size+1)
	}
}

// Whatever a server sends, a meter stays small.
func TestMeterOfAHostileBodyStaysSmall(t *testing.T) {
	for _, c := range []struct{ name, head, more string }{
		{"a line without an end", `{"usage":"`, strings.Repeat("x", 64<<10)},
		{"a value without an end", `{"usage":`, strings.Repeat(`{"total_tokens":1,"a":[`, 3<<10)},
		{"a name without a value", `{"usage"`, strings.Repeat(" ", 64<<10)},
		{"names alone", `"usage"`, strings.Repeat(`"usage":{`, 7<<10)},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := cost.Named("openai").Meter(response(), "")
			_, err := io.WriteString(m, c.head)
			require.NoError(t, err)
			more := []byte(c.more)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range (256 << 20) / len(more) / 16 {
				_, err := m.Write(more)
				require.NoError(t, err)
			}
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<10))
			_, err = io.WriteString(m, `"}]}}{"usage":{"total_tokens":5}}`)
			require.NoError(t, err)
		})
	}
}

func FuzzMeter(f *testing.F) {
	for _, c := range told {
		f.Add([]byte(c.body), uint64(1))
	}
	// The end of one name is where another one could begin.
	f.Add([]byte(`00000000000"usage":00""usage":{"output_tokens":00}0`), uint64(80))
	f.Add([]byte(`"usage""usage":{"output_tokens":1}`), uint64(3))
	apis := []*cost.API{cost.Named("openai"), cost.Named("anthropic"), {Body: []cost.Term{
		{Field: "a", Unit: "x"}, {Field: "ab.c", Unit: "y"}, {Field: "usage.total_tokens", Unit: "z"},
	}}}
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		for _, api := range apis {
			whole := api.Meter(response(), "")
			_, err := whole.Write(body)
			require.NoError(t, err)
			for unit, n := range whole.Used() {
				assert.True(t, n >= 0 && n <= 2e12, "%s %v", unit, n)
			}
			// However it is cut into pieces, it says the same.
			rng := rand.New(rand.NewPCG(seed, 1))
			pieces := api.Meter(response(), "")
			for rest := body; len(rest) > 0; {
				n := 1 + rng.IntN(min(len(rest), 20))
				_, err := pieces.Write(rest[:n])
				require.NoError(t, err)
				rest = rest[n:]
			}
			require.Equal(t, whole.Used(), pieces.Used())
		}
	})
}

func BenchmarkMeter(b *testing.B) {
	for _, c := range []struct{ name, body string }{
		{"prose", `{"content":"` + strings.Repeat("Some text, as it comes. ", 40_000) + `"}`},
		{"stream", strings.ReplaceAll(events(4_000), `,"usage":null`, "")},
		{"stream with usage in each event", events(4_000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			text, api, resp := []byte(c.body), cost.Named("openai"), response()
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				m := api.Meter(resp, "")
				for rest := text; len(rest) > 0; rest = rest[min(len(rest), 4<<10):] {
					_, _ = m.Write(rest[:min(len(rest), 4<<10)])
				}
				m.Used()
			}
		})
	}
}

var _ io.Writer = (*cost.Meter)(nil)

func TestWatchPassesTheBodyOn(t *testing.T) {
	t.Parallel()
	text := events(300)
	for size := 1; size < 300; size += 7 {
		body := &contract{Reader: bytes.NewReader([]byte(text))}
		m, over := cost.Named("openai").Meter(response(), ""), 0
		w := cost.Watch(body, m, func() { over++ })
		var got bytes.Buffer
		_, err := io.CopyBuffer(struct{ io.Writer }{&got}, w, make([]byte, size))
		require.NoError(t, err)
		assert.Equal(t, 1, over)
		require.NoError(t, w.Close())
		assert.Equal(t, text, got.String())
		assert.Equal(t, 1, over)
		assert.Equal(t, 1, body.closes)
		assert.InDelta(t, 413, m.Used()["tokens"], 0)
	}
}

// contract is a body that notes what reaches it.
type contract struct {
	io.Reader

	closes, late int
	fails        error
}

func (c *contract) Read(p []byte) (int, error) {
	if c.closes > 0 {
		c.late++
	}
	if c.fails != nil {
		return 0, c.fails
	}
	return c.Reader.Read(p)
}

func (c *contract) Close() error { c.closes++; return c.fails }

func TestWatchEndsOnce(t *testing.T) {
	t.Parallel()
	over := 0
	body := &contract{Reader: strings.NewReader("abc")}
	w := cost.Watch(body, nil, func() { over++ })
	_, err := w.Read(make([]byte, 1))
	require.NoError(t, err)
	assert.Zero(t, over)
	require.NoError(t, w.Close())
	assert.Equal(t, 1, over, "closed before its end")
	assert.Equal(t, 1, body.closes)
	assert.Zero(t, body.late, "nothing is read that the caller does not read")

	body = &contract{fails: io.ErrUnexpectedEOF}
	w = cost.Watch(body, nil, func() { over++ })
	_, err = w.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, w.Close(), io.ErrUnexpectedEOF)
	assert.Equal(t, 2, over)
}

// Close may come from another goroutine than Read.
func TestWatchWhileReading(t *testing.T) {
	t.Parallel()
	for range 20 {
		m := cost.Named("openai").Meter(response(), "")
		r, w := io.Pipe()
		body := cost.Watch(r, m, func() { m.Used() })
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(io.Discard, body)
		}()
		_, err := io.WriteString(w, events(3))
		require.NoError(t, err)
		require.NoError(t, body.Close())
		<-done
	}
}
