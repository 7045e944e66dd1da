package cost_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/forbear-go/forbear/throttle/cost"
)

// What a chat may cost, before it is sent, and what it did cost.
func Example() {
	log.SetFlags(0)
	log.SetOutput(os.Stdout)
	req, err := http.NewRequest(http.MethodPost, "https://api.openai.com/v1/chat/completions",
		strings.NewReader(`{"model":"gpt-4o","messages":[{"role":"user","content":"Why?"}],"max_tokens":500}`))
	if err != nil {
		log.Fatal(err)
	}
	resp := &http.Response{Body: io.NopCloser(strings.NewReader(
		`{"choices":[],"usage":{"prompt_tokens":190,"completion_tokens":50,"total_tokens":240}}`))}

	api := cost.For(req)        // nil: it is not in the table
	before := api.Estimate(req) // the model, the size of the prompt, max_tokens
	meter := api.Meter(resp, before.Model)
	resp.Body = cost.Watch(resp.Body, meter, func() {
		log.Print(meter.Used())
	})

	fmt.Println(before.Model, before.Bytes, before.Most["tokens"])
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		log.Fatal(err)
	}
	// Output:
	// gpt-4o 81 500
	// map[input-tokens:190 output-tokens:50 tokens:240]
}

// An API that is not in the table, and tells its cost in the body.
func ExampleAPI() {
	reviews := &cost.API{
		Hosts: []string{"api.reviews.example"},
		Body:  []cost.Term{{Field: "meta.credits_used", Unit: "credits"}},
	}

	meter := reviews.Meter(&http.Response{}, "")
	if _, err := io.WriteString(meter, `{"reviews":[],"meta":{"page":1,"credits_used":3}}`); err != nil {
		log.Fatal(err)
	}
	fmt.Println(meter.Used())
	// Output: map[credits:3]
}
