package client_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/throttle/header"
)

// The code of docs/headers.md.

func TestHeadersPage(t *testing.T) {
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{
		"X-Example-Left":  {"7"},
		"X-Example-Opens": {"1772366442000"},
	}}
	const host = "api.example.com"
	{
		rd, err := header.NewReader("api.example.com") // one for a host
		var r header.Reading                           // used again and again, from a pool
		rd.Read(&r, resp.StatusCode, resp.Header, nil, time.Now())
		require.NoError(t, err)
		require.Empty(t, r.Windows)
	}
	rd, err := header.NewReader(host, header.Dialect{
		Name:  "example",
		Hosts: []string{"api.example.com"},
		Fields: map[string]header.Field{
			"X-Example-Left":  {Role: header.Remaining},
			"X-Example-Opens": {Role: header.ResetTime, Unit: time.Millisecond},
		},
	})
	require.NoError(t, err)
	var r header.Reading
	rd.Read(&r, resp.StatusCode, resp.Header, nil, time.Now())
	require.Len(t, r.Windows, 1)
	require.EqualValues(t, 7, r.Windows[0].Remaining.Value)
	require.Equal(t, time.Unix(1772366442, 0).UTC(), r.Windows[0].Reset.At.UTC())
}
