package page_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// A chromium is a browser without a window, driven by its DevTools protocol over a pair
// of pipes.
type chromium struct {
	t       *testing.T
	in      *os.File
	out     *bufio.Reader
	session string
	calls   int
	loads   int      // how many documents were loaded
	errors  []string // that the browser logged
}

// newChromium starts a browser, or skips the test where there is none.
func newChromium(t *testing.T) *chromium {
	t.Helper()
	program := os.Getenv("CHROMIUM")
	if program == "" {
		t.Skip("CHROMIUM does not name a browser")
	}
	theirIn, in, err := os.Pipe()
	require.NoError(t, err)
	out, theirOut, err := os.Pipe()
	require.NoError(t, err)
	profile, err := os.MkdirTemp("", "forbear-page-") //nolint:usetesting // a helper of the browser may write there for too long
	require.NoError(t, err)
	// Not the test's context, which ends before the clean-up that closes the browser.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--remote-debugging-pipe", "--hide-scrollbars", "--user-data-dir="+profile, "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4
	require.NoError(t, cmd.Start())
	require.NoError(t, theirIn.Close())
	require.NoError(t, theirOut.Close())
	b := &chromium{t: t, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		_, _ = fmt.Fprintf(in, `{"id":0,"method":"Browser.close"}`+"\x00")
		_ = cmd.Wait()
		_ = in.Close()
		_ = out.Close()
		_ = os.RemoveAll(profile) // a helper of the browser may still write there
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// call calls a method of the protocol and reads messages until the result arrives.
func (b *chromium) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.calls++
	text, err := json.Marshal(struct {
		ID      int            `json:"id"`
		Session string         `json:"sessionId,omitempty"`
		Method  string         `json:"method"`
		Params  map[string]any `json:"params,omitempty"`
	}{b.calls, b.session, method, params})
	require.NoError(b.t, err)
	_, err = b.in.Write(append(text, 0))
	require.NoError(b.t, err)
	for {
		m := b.read()
		if m.ID != b.calls {
			continue
		}
		require.Nil(b.t, m.Error, method)
		if result != nil {
			require.NoError(b.t, json.Unmarshal(m.Result, result))
		}
		return
	}
}

// A message is an answer to a call, or an event.
type message struct {
	ID     int
	Method string
	Result json.RawMessage
	Error  *struct{ Message string }
	Params json.RawMessage
}

// read reads the next message and notes what it says, if it is an event.
func (b *chromium) read() *message {
	b.t.Helper()
	text, err := b.out.ReadBytes(0)
	require.NoError(b.t, err)
	m := new(message)
	require.NoError(b.t, json.Unmarshal(text[:len(text)-1], m))
	switch m.Method {
	case "Log.entryAdded", "Runtime.exceptionThrown":
		b.errors = append(b.errors, string(m.Params))
	case "Page.loadEventFired":
		b.loads++
	}
	return m
}

// eval returns the value of an expression. It awaits promises.
func (b *chromium) eval(expression string, value any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &r)
	require.Empty(b.t, string(r.ExceptionDetails), expression)
	if value != nil {
		require.NoError(b.t, json.Unmarshal(r.Result.Value, value), expression)
	}
}

// open loads an address and returns when the document is complete.
func (b *chromium) open(url string) {
	b.t.Helper()
	loads := b.loads
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	for b.loads == loads {
		b.read()
	}
}

// until returns when a condition holds. It gives up after ten seconds.
func (b *chromium) until(condition string) {
	b.t.Helper()
	var held bool
	b.eval(`new Promise(done => {
		const began = Date.now();
		const look = () => `+condition+` ? done(true) : Date.now() - began > 10000 ? done(false) : requestAnimationFrame(look);
		look();
	})`, &held)
	require.True(b.t, held, condition)
}

// look sets the size of the window and the scheme of its colours.
func (b *chromium) look(width, height int, scheme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// press presses and releases the tab key.
func (b *chromium) press() {
	b.t.Helper()
	for _, kind := range []string{"rawKeyDown", "keyUp"} {
		b.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}, nil)
	}
}

// shoot writes a picture of the window.
func (b *chromium) shoot(file string) {
	b.t.Helper()
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(file, png, 0o600))
}
