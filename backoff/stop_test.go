package backoff

import (
	"fmt"
	"io"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestStopErrorKeepsTheURLOut(t *testing.T) {
	inner := &url.Error{Op: "Get", URL: "https://api.test/?api_key=secret", Err: io.EOF}
	for _, err := range []error{
		inner,
		fmt.Errorf("call: %w", inner),
		&url.Error{Op: "Get", URL: "https://user:secret@api.test", Err: inner},
	} {
		stop := &StopError{Reason: StopRetries, Attempts: 4, Err: err}
		assert.Equal(t, "backoff: no retry after attempt 4: all retries are used: EOF", stop.Error())
		assert.ErrorIs(t, stop, io.EOF)
		assert.ErrorIs(t, stop, inner, "whoever asks for the error gets it whole")
	}
}

func TestStopErrorWithoutACause(t *testing.T) {
	stop := &StopError{}
	assert.Equal(t, "backoff: no retry after attempt 0: reason unknown", stop.Error())
	assert.Empty(t, stop.Unwrap())
	assert.NotErrorIs(t, stop, io.EOF)
}

func TestReasonString(t *testing.T) {
	names := map[string]bool{}
	for r := StopContext; int(r) < reasons; r++ {
		names[r.String()] = true
		stop := &StopError{Reason: r, Until: time.Unix(0, 0)}
		assert.NotContains(t, stop.Error(), "unknown")
	}
	assert.Len(t, names, reasons-1)
	assert.NotContains(t, names, "unknown")
	assert.Equal(t, "budget", StopBudget.String())
	assert.Equal(t, "context", StopContext.String())
	assert.Equal(t, "unknown", Reason(0).String())
	assert.Equal(t, "unknown", Reason(200).String())
}
