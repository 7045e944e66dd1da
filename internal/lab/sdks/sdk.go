package sdks

import (
	"context"
	"fmt"
	"net/http"

	"github.com/forbear-go/forbear/client"
)

// An SDK is a library that talks to one API, and takes an http.Client.
type SDK struct {
	// Name is that of the SDK, Module the Go module that it comes from.
	Name, Module string
	// Limits says what its API tells of its limits, Source where that is written.
	Limits, Source string
	// Own says what the SDK does about refusals and failures when it is left alone, Off
	// how to switch that off.
	Own, Off string
	// Note is what else a user should know.
	Note string
	// Func is the function of this package that sets it up as advised, in File.
	Func, File string
	// Announced says that the API tells what is left before it refuses.
	Announced bool
	// Opaque says that it keeps the text of an error only: errors.As finds nothing.
	Opaque bool
	// Calls is how many calls are made of it.
	Calls int

	server  func() *server
	connect func(hc *http.Client, s Setup) (Call, error)
}

// A Call makes the i-th call through an SDK. It fails if the result is not the right
// one.
type Call func(ctx context.Context, i int) error

// A Setup is how an SDK is used.
type Setup string

// The setups.
const (
	// Advised is with forbear, and the SDK's own retries switched off.
	Advised Setup = "advised"
	// LeftOn is with forbear, and the SDK's own retries left on.
	LeftOn Setup = "left on"
	// Alone is the SDK as it comes, over a client that does nothing.
	Alone Setup = "alone"
)

// Setups returns all setups.
func Setups() []Setup { return []Setup{Advised, LeftOn, Alone} }

// wrap returns hc with forbear around it if the SDK's own retries are left on, and hc
// itself otherwise.
func (s Setup) wrap(hc *http.Client) (*http.Client, error) {
	if s != LeftOn {
		return hc, nil
	}
	return client.Wrap(hc)
}

// All returns the SDKs that are tried.
func All() []SDK {
	return []SDK{githubSDK(), slackSDK(), openAISDK(), anthropicSDK(), stripeSDK(), vaultSDK(),
		godoSDK(), linodeSDK(), elasticSDK(), spotifySDK(), jiraSDK(), cloudflareSDK(), kubernetesSDK(), oktaSDK()}
}

const token = "secret"

// expect returns an error if another object came than was asked for.
func expect[T comparable](want, got T) error {
	if got != want {
		return fmt.Errorf("%v was asked for, and %v came", want, got)
	}
	return nil
}
