package simnet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// streamed returns a transport with trips of 50 ms whose responses come as they are flushed.
func streamed(h http.HandlerFunc) *Transport {
	tr := New(h, 1)
	tr.Min, tr.Max, tr.Stream = 50*time.Millisecond, 50*time.Millisecond, true
	return tr
}

func TestAStreamComesAsItIsFlushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := streamed(func(w http.ResponseWriter, _ *http.Request) {
			for i := range 3 {
				time.Sleep(time.Second)
				fmt.Fprintf(w, "%d\n", i)
				w.(http.Flusher).Flush()
			}
			time.Sleep(time.Second)
			fmt.Fprintln(w, "last")
		})
		began := time.Now()
		res, err := tr.RoundTrip(request(t, t.Context(), "GET", nil))
		require.NoError(t, err)
		assert.Equal(t, 1100*time.Millisecond, time.Since(began), "the header comes with the first line")
		lines := bufio.NewScanner(res.Body)
		for i, want := range []string{"0", "1", "2", "last"} {
			require.True(t, lines.Scan())
			assert.Equal(t, want, lines.Text())
			assert.Equal(t, time.Duration(i+1)*time.Second+100*time.Millisecond, time.Since(began), want)
		}
		assert.False(t, lines.Scan())
		require.NoError(t, lines.Err())
		assert.Equal(t, 1, tr.Open())
		require.NoError(t, res.Body.Close())
		require.NoError(t, res.Body.Close())
		assert.Zero(t, tr.Open())
		_, err = res.Body.Read(make([]byte, 1))
		require.ErrorIs(t, err, errClosed)
	})
}

func TestAStreamIsCutOffWhereItsHandlerBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flush := true
		tr := streamed(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "sent")
			if flush {
				w.(http.Flusher).Flush()
			}
			_, _ = io.WriteString(w, "not sent")
			panic(http.ErrAbortHandler)
		})
		res, err := tr.RoundTrip(request(t, t.Context(), "GET", nil))
		require.NoError(t, err)
		text, err := io.ReadAll(res.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, "sent", string(text))
		require.NoError(t, res.Body.Close())
		flush = false
		_, err = tr.RoundTrip(request(t, t.Context(), "GET", nil))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

func TestAHandlerNoticesThatItsClientIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := make(chan error, 1)
		tr := streamed(func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			gone <- r.Context().Err()
		})
		res, err := tr.RoundTrip(request(t, t.Context(), "GET", nil))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.ErrorIs(t, <-gone, context.Canceled)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		res, err = tr.RoundTrip(request(t, ctx, "GET", nil))
		require.NoError(t, err)
		_, err = io.ReadAll(res.Body)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, <-gone, context.DeadlineExceeded)
		require.NoError(t, res.Body.Close())
	})
}
