package cost

import (
	"io"
	"sync"
)

// Watch returns a body that writes to w what is read from it, and calls done
// once when it is over: at its end, at an error, or when it is closed before.
// The caller gets the bytes as they are, and no other call reaches the body
// than the caller's own. A nil w is not written to.
func Watch(body io.ReadCloser, w io.Writer, done func()) io.ReadCloser {
	return &watched{body: body, w: w, done: done}
}

type watched struct {
	body io.ReadCloser
	w    io.Writer
	done func()

	mu   sync.Mutex // Close may come while Read is under way
	over bool
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if n > 0 && b.w != nil {
		b.write(p[:n])
	}
	if err != nil {
		b.end()
	}
	return n, err
}

func (b *watched) Close() error {
	err := b.body.Close()
	b.end()
	return err
}

func (b *watched) write(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		_, _ = b.w.Write(p) // the caller has the bytes, whatever the writer says
	}
}

func (b *watched) end() {
	b.mu.Lock()
	before := b.over
	b.over = true
	b.mu.Unlock()
	if !before {
		b.done()
	}
}
