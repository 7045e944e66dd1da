// Package upload sends the body of a request more than once although it can be read only once: it
// records what is read of it.
package upload

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// A Recording keeps what the attempts to send a request read of the caller's body, up to a limit, so
// that another attempt can read it again. Nothing is read before an attempt asks for it. The caller's
// body is closed once: as soon as no attempt can need it, and no later than by the last Close or [End].
//
// A transport may read the body of an attempt, and close it, after the response of the attempt has
// come. Such a read is recorded as well.
type Recording struct {
	source io.ReadCloser
	limit  int
	length int         // of the body, as far as the caller's word is trusted; 0 if there is none
	unwind func() bool // stops the watch over the context; nil for none

	mu       sync.Mutex // guards the fields below
	changed  sync.Cond  // when one of them does
	kept     []byte     // what was read, unless it is beyond the limit
	beyond   bool       // more was read than may be kept, or might be at this moment
	ended    error      // why nothing more can be read of the source: io.EOF, or what went wrong
	reading  bool       // somebody reads from the source
	paused   bool       // see Pause
	over     bool       // see End
	closed   bool       // the source is
	canceled error      // what the context ended with
	current  *Body      // of the latest attempt
	first    Body
}

// mostTrusted is how much memory is taken at once because of a length that the caller has told.
const mostTrusted = 1 << 20

// A Body is the body of one attempt.
type Body struct {
	recording *Recording
	next      int  // in what is kept
	closed    bool // by its reader
}

// Start begins to record a body, whose length is 0 or less if it is not known. It returns the body of
// the first attempt. When ctx ends, the source is closed, which ends a read that hangs.
func (r *Recording) Start(ctx context.Context, source io.ReadCloser, length int64, limit int) *Body {
	r.source, r.limit, r.length = source, limit, int(max(0, min(length, int64(limit), mostTrusted)))
	r.changed.L = &r.mu
	r.first.recording = r
	r.current = &r.first
	if ctx.Done() != nil {
		r.unwind = context.AfterFunc(ctx, func() { r.cancel(ctx.Err()) })
	}
	return &r.first
}

// Pause reports whether another attempt could send the whole body. If so, it keeps the current attempt
// from reading more than can be kept, until [Recording.Resume] or [Recording.Again].
func (r *Recording) Pause() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || r.beyond || r.ended != nil && !isEnd(r.ended) {
		return false
	}
	r.paused = true
	return true
}

// isEnd reports whether a body that ended with err was whole.
func isEnd(err error) bool { return err == io.EOF } //nolint:errorlint // to its readers, a wrapped one is an error

// Resume takes back a Pause: there is no other attempt.
func (r *Recording) Resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paused = false
	r.changed.Broadcast()
}

// Again returns the body of another attempt, after a [Recording.Pause]. The attempt before can read no
// more.
func (r *Recording) Again() *Body {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paused = false
	r.current = &Body{recording: r}
	r.changed.Broadcast()
	return r.current
}

// End says that there is no other attempt, and whether the current one may go on: after its response,
// a transport may still read the body. There is none if the recording is paused.
func (r *Recording) End(goOn bool) {
	if r.unwind != nil {
		r.unwind()
	}
	r.end(goOn)
}

func (r *Recording) end(goOn bool) {
	r.mu.Lock()
	if r.over = true; r.paused || !goOn {
		r.current = nil
	}
	r.changed.Broadcast()
	last := r.finish()
	r.mu.Unlock()
	if last {
		_ = r.source.Close() // the caller asked for nothing to be read from it
	}
}

// cancel ends everything, because the context of the request has ended.
func (r *Recording) cancel(err error) {
	r.mu.Lock()
	r.canceled = err
	r.mu.Unlock()
	defer func() { _ = recover() }() // a panic of Close would end the program from here
	r.end(false)
}

// finish reports whether the source is to be closed now: by the caller of finish, after it has let go
// of the lock.
func (r *Recording) finish() bool {
	idle := r.current == nil || r.current.closed
	if r.over && idle {
		r.kept, r.beyond = nil, true
	}
	if r.closed || !idle || !r.over && !r.beyond && r.ended == nil {
		return false
	}
	r.closed = true
	return true
}

// Close says that the attempt reads no more.
func (b *Body) Close() error {
	r := b.recording
	r.mu.Lock()
	b.closed = true
	r.changed.Broadcast()
	last := b == r.current && r.finish()
	r.mu.Unlock()
	if !last {
		return nil
	}
	return r.source.Close()
}

// Read reads what earlier attempts have read, and then from the source.
func (b *Body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r := b.recording
	r.mu.Lock()
	for b.mustWait() {
		r.changed.Wait()
	}
	defer r.mu.Unlock()
	switch {
	case r.canceled != nil:
		return 0, r.canceled
	case b.closed || b != r.current:
		return 0, http.ErrBodyReadAfterClose
	case b.next < len(r.kept):
		n := copy(p, r.kept[b.next:])
		b.next += n
		return n, nil
	case r.ended != nil:
		return 0, r.ended
	}
	return b.readOn(p)
}

// mustWait reports whether a read has to wait until somebody else's is over, or the pause is.
func (b *Body) mustWait() bool {
	r := b.recording
	if b.closed || b != r.current || b.next < len(r.kept) || r.ended != nil {
		return false
	}
	return r.reading || r.paused && len(r.kept) == r.limit
}

// readOn reads from the source and records it. It lets go of the lock meanwhile.
func (b *Body) readOn(p []byte) (n int, err error) {
	r := b.recording
	if r.over {
		b.forget()
	}
	records := !r.beyond
	if records {
		if room := r.limit - len(r.kept); room > 0 {
			p = p[:min(len(p), room)]
		} else {
			r.beyond, records = true, false // unless this is the end
			defer func() {
				if r.beyond = n > 0 || r.closed && !isEnd(err); r.beyond {
					b.forget()
				}
			}()
		}
	}
	err = http.ErrBodyReadAfterClose // if the source panics
	r.reading = true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		if r.canceled != nil && err != nil {
			err = r.canceled
		}
		r.reading, r.ended = false, err
		if records {
			b.record(p[:n])
		}
		r.changed.Broadcast()
	}()
	return r.source.Read(p)
}

// record keeps what an attempt has read, unless nobody needs it.
func (b *Body) record(read []byte) {
	r := b.recording
	if r.beyond {
		return // the recording has ended meanwhile
	}
	if size := len(r.kept) + len(read); size > cap(r.kept) {
		kept := make([]byte, len(r.kept), min(r.limit, max(size, 2*cap(r.kept), r.length)))
		copy(kept, r.kept)
		r.kept = kept
	}
	r.kept = append(r.kept, read...)
	b.next += len(read)
}

// forget frees what was kept: the attempt has read it, and there is no other.
func (b *Body) forget() {
	b.recording.kept, b.recording.beyond, b.next = nil, true, 0
}
