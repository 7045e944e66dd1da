package client

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// discardLimit is how much of a response is read so that its connection can be used
// again; more than this costs more than a new connection does.
const discardLimit = 64 << 10

// discardPatience is how long the rest of such a response may take. The caller waits
// meanwhile, and to the network it is as good as a new connection.
const discardPatience = 100 * time.Millisecond

// discard drains and closes the body of a response that is not returned, if there is one.
func discard(resp *http.Response) {
	if resp == nil || resp.Body == nil || resp.Body == http.NoBody {
		return
	}
	defer resp.Body.Close() // whatever is wrong with it
	late := closeAfter(discardPatience, resp.Body)
	defer late.Stop()
	_, _ = io.CopyN(io.Discard, resp.Body, discardLimit)
}

// keep reads the body of a response into memory and closes it, so that the response can
// wait for as long as it may take until it is known whether the caller gets it. It
// returns nil if the body is longer than discardLimit or takes longer than
// discardPatience: then the response is discarded.
func keep(resp *http.Response) *http.Response {
	if resp == nil || resp.Body == nil || resp.Body == http.NoBody {
		return resp
	}
	body := resp.Body
	defer body.Close()
	late := closeAfter(discardPatience, body)
	defer late.Stop()
	text, err := io.ReadAll(io.LimitReader(body, discardLimit+1))
	if len(text) > discardLimit || !late.Stop() {
		return nil
	}
	var all io.Reader = bytes.NewReader(text)
	if err != nil {
		all = io.MultiReader(all, broken{err})
	}
	resp.Body = io.NopCloser(all)
	return resp
}

// closeAfter closes a body after a while, which ends a read that hangs. A body that
// panics when it is closed does so again when its reader closes it.
func closeAfter(d time.Duration, body io.Closer) *time.Timer {
	return time.AfterFunc(d, func() { closeQuietly(body) })
}

// closeQuietly closes a body and recovers from its panic, for a goroutine of its own.
func closeQuietly(body io.Closer) {
	defer func() { _ = recover() }()
	_ = body.Close()
}
