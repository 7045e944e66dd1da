package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// small takes some seconds: twice of what is there at once.
var small = plan{prompts: 60, callers: 20, limits: limits{requests: 60, tokens: 10_000, minute: 4 * time.Second}}

func TestForbearIsNotRefused(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, small), "%v", &out)
	t.Log(&out)
	plain, forbear := row(t, out.String(), "go-retryablehttp"), row(t, out.String(), "forbear")
	require.Equal(t, []float64{60, 60 + forbear[2]}, forbear[:2], "answered, sent")
	require.LessOrEqual(t, forbear[2], 6., "0 unless the machine cannot keep up")
	require.Greater(t, plain[2], 0., "the limit is not felt")
	require.Equal(t, plain[1]-plain[2], plain[0], "answered is what was not refused")
	require.Positive(t, forbear[3], "share of the tokens")
}

// row returns the numbers in the row of the table that begins with name.
func row(t *testing.T, text, name string) []float64 {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` +(\d+) +(\d+) +(\d+) +([\d.]+) % +[\d.]+ s$`).FindStringSubmatch(text)
	require.NotNil(t, found, "no row %s in\n%s", name, text)
	numbers := make([]float64, 4)
	for i := range numbers {
		var err error
		numbers[i], err = strconv.ParseFloat(found[i+1], 64)
		require.NoError(t, err)
	}
	return numbers
}

func TestRefusalsAndWrongAnswersAreErrors(t *testing.T) {
	t.Parallel()
	server := newChat(limits{requests: 1, tokens: 1000, minute: time.Hour})
	defer server.Close()
	a := &asker{name: "plain", client: server.Client(), server: server}
	require.NoError(t, a.ask(t.Context(), 1))
	require.EqualError(t, a.ask(t.Context(), 2), "429 Too Many Requests")
	require.Equal(t, counts{requests: 2, refused: 1, tokens: 239}, server.counts())

	p := prompt{MaxTokens: 400, Messages: []message{{"user", "four"}}}
	require.NoError(t, p.check(strings.NewReader("data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":88,\"total_tokens\":89}}\n\ndata: [DONE]\n\n")))
	require.EqualError(t, p.check(strings.NewReader("{}")), "the usage is {0 0 0}, not {1 88 89}")
	require.ErrorContains(t, p.check(strings.NewReader("<")), "invalid character")
	require.ErrorIs(t, p.check(io.MultiReader(strings.NewReader("data: [DONE]\n"), broken{})), http.ErrBodyReadAfterClose)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, http.ErrBodyReadAfterClose }

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var out strings.Builder
	require.ErrorIs(t, run(ctx, &out, small), context.DeadlineExceeded)
	require.NotContains(t, out.String(), "tokens used", "a table of half a run")
}
