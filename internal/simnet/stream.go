package simnet

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A stream is the http.ResponseWriter of a handler whose response comes as it is flushed.
type stream struct {
	answer

	back   time.Duration
	head   bool          // there is no body
	began  chan struct{} // closed when the header leaves the server, or never will
	headed bool          // it does

	mu     sync.Mutex
	chunks []chunk
	end    error // io.EOF, or what cut the response off, once endAt has come
	endAt  time.Time
	news   chan struct{} // something was added
}

// A chunk reaches the client at some time.
type chunk struct {
	data []byte
	at   time.Time
}

// Flush implements http.Flusher: what was written so far is on its way.
func (s *stream) Flush() {
	s.answer.Flush()
	s.send(nil)
}

// send sends what was written since, and the end if there is one.
func (s *stream) send(end error) {
	at := time.Now().Add(s.back)
	s.mu.Lock()
	if s.body.Len() > 0 && !s.head {
		s.chunks = append(s.chunks, chunk{append([]byte(nil), s.body.Bytes()...), at})
	}
	s.body.Reset()
	if end != nil {
		s.end, s.endAt = end, at
	}
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default: // nobody noticed the last one yet
	}
	select {
	case <-s.began:
	default:
		s.headed = s.flushed
		close(s.began)
	}
}

// stream runs the handler, and returns its response once it is flushed.
func (t *Transport) stream(req *http.Request, back time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	s := &stream{
		answer: answer{header: make(http.Header, 16)}, back: back, head: req.Method == http.MethodHead,
		began: make(chan struct{}), news: make(chan struct{}, 1),
	}
	go func() {
		if broken := t.handle(s, req.WithContext(ctx)); broken {
			s.body.Reset() // it was not flushed
			s.send(io.ErrUnexpectedEOF)
			return
		}
		s.flushed = true
		s.WriteHeader(http.StatusOK) // of a handler that wrote nothing
		s.send(io.EOF)
	}()
	select {
	case <-s.began:
	case <-ctx.Done():
		cancel()
		return nil, context.Cause(req.Context())
	}
	if !s.headed { // the connection broke before the header left
		cancel()
		return nil, io.ErrUnexpectedEOF
	}
	if err := sleep(ctx, back); err != nil {
		cancel()
		return nil, err
	}
	t.open.Add(1)
	return &http.Response{
		Status:     strconv.Itoa(s.status) + " " + http.StatusText(s.status),
		StatusCode: s.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: s.sent, Request: req, ContentLength: -1,
		Body: &streamBody{s: s, ctx: ctx, cancel: cancel, closed: make(chan struct{}), done: func() { t.open.Add(-1) }},
	}, nil
}

// A streamBody is the body of a response that comes as it is flushed.
type streamBody struct {
	s      *stream
	ctx    context.Context    //nolint:containedctx // it lives as long as the body
	cancel context.CancelFunc // tells the handler that the client is gone
	once   sync.Once
	closed chan struct{}
	done   func()
}

// Read implements io.Reader. It waits for what was flushed to arrive.
func (b *streamBody) Read(p []byte) (int, error) {
	for {
		select {
		case <-b.closed:
			return 0, errClosed
		default:
		}
		n, at, err := b.s.take(p)
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		var due <-chan time.Time
		if !at.IsZero() {
			due = time.After(time.Until(at))
		}
		select {
		case <-due:
		case <-b.s.news:
		case <-b.closed:
		case <-b.ctx.Done():
			if b.isOpen() {
				return 0, context.Cause(b.ctx)
			}
		}
	}
}

func (b *streamBody) isOpen() bool {
	select {
	case <-b.closed:
		return false
	default:
		return true
	}
}

// take returns what has arrived, or when the next does; zero is not known.
func (s *stream) take(p []byte) (n int, at time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	switch {
	case len(s.chunks) > 0 && s.chunks[0].at.After(now):
		return 0, s.chunks[0].at, nil
	case len(s.chunks) > 0:
		n = copy(p, s.chunks[0].data)
		if s.chunks[0].data = s.chunks[0].data[n:]; len(s.chunks[0].data) == 0 {
			s.chunks = s.chunks[1:]
		}
		return n, time.Time{}, nil
	case s.end != nil && !s.endAt.After(now):
		return 0, time.Time{}, s.end
	}
	return 0, s.endAt, nil
}

// Close implements io.Closer. The context of the handler's request ends.
func (b *streamBody) Close() error {
	b.once.Do(func() {
		close(b.closed)
		b.cancel()
		b.done()
	})
	return nil
}
