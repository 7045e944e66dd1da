package client_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"github.com/forbear-go/forbear/internal/simnet"
	"github.com/forbear-go/forbear/throttle"
)

// What refusals taught survives a restart: the next run is refused less than the
// first.
func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveModel(func() ratemodel.Model { return ratemodel.NewFixed(300, time.Minute) },
			apiserver.Dialect{RetryAfter: apiserver.Seconds})(t)
		run := func(opts ...client.Option) (client.Memory, int) {
			rt, err := client.NewTransport(simnet.New(s, 1), opts...)
			require.NoError(t, err)
			start := simnet.Into(time.Now().Add(24*time.Hour), 24*time.Hour, into)
			r := simnet.Load{Server: s, Do: rt.RoundTrip, Start: start, Until: start.Add(10*time.Minute - into)}.Run(t.Context())
			t.Log(r)
			return rt.Memory(), r.Counts.Refused
		}
		memory, first := run()
		require.Len(t, memory, 1)
		require.NotZero(t, first)

		written, err := json.Marshal(memory)
		require.NoError(t, err)
		require.NotContains(t, string(written), "key", "the credential")
		var read client.Memory
		require.NoError(t, json.Unmarshal(written, &read))
		_, second := run(client.WithMemory(read))
		require.Less(t, second, first/2)
	})
}

func TestImpossibleMemory(t *testing.T) {
	_, err := client.New(client.WithMemory(client.Memory{"a": {Limit: -1, Length: time.Minute}}))
	require.ErrorContains(t, err, "client: memory of key")
	_, err = client.New(client.WithMemory(client.Memory{"a": throttle.Lesson{}}))
	require.NoError(t, err)
}
