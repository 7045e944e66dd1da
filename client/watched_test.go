package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A watched is a body that remembers what was done to it.
type watched struct {
	content io.Reader
	closed  chan struct{} // closed by the first Close
	once    sync.Once
	read    atomic.Int64
	atEnd   atomic.Bool
	late    atomic.Bool // somebody read after Close
	closes  atomic.Int32
}

func watch(content io.Reader) *watched {
	return &watched{content: content, closed: make(chan struct{})}
}

var errLate = errors.New("read after Close")

func (w *watched) Read(b []byte) (int, error) {
	if w.isClosed() {
		w.late.Store(true)
		return 0, errLate
	}
	n, err := w.content.Read(b)
	w.read.Add(int64(n))
	if err == io.EOF {
		w.atEnd.Store(true)
	}
	return n, err
}

func (w *watched) Close() error {
	w.closes.Add(1)
	w.once.Do(func() { close(w.closed) })
	return nil
}

func (w *watched) isClosed() bool {
	select {
	case <-w.closed:
		return true
	default:
		return false
	}
}

// stalled returns a body of which nothing comes until it is closed.
func stalled() *watched {
	w := watch(nil)
	w.content = readerFunc(func([]byte) (int, error) {
		<-w.closed
		return 0, errors.New("closed while it stalled")
	})
	return w
}

// spoil makes a body one that is hard to read.
func (w *watched) spoil(c carriage) {
	switch c {
	case unreadable:
		half := make([]byte, 10_000)
		_, _ = io.ReadFull(w.content, half)
		fails := readerFunc(func([]byte) (int, error) { return 0, errRead })
		w.content = io.MultiReader(bytes.NewReader(half), fails)
	case hanging:
		w.content = readerFunc(func([]byte) (int, error) { <-w.closed; return 0, io.ErrClosedPipe })
	case panicking:
		w.content = readerFunc(func([]byte) (int, error) { panic("body") })
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// endless returns a reader that never ends.
func endless() io.Reader {
	return readerFunc(func(b []byte) (int, error) { clear(b); return len(b), nil })
}

// A snapshot is what a request was like before somebody had it in hand.
type snapshot struct {
	request http.Request // a shallow copy
	url     *url.URL
	header  http.Header
	trailer http.Header
}

func snapshotOf(r *http.Request) snapshot {
	s := snapshot{request: *r, header: r.Header.Clone(), trailer: r.Trailer.Clone()}
	if r.URL != nil {
		u := *r.URL
		s.url = &u
	}
	return s
}

// differences returns the names of the fields that are no longer as they were. The
// body and the context of a repeated request are its own.
func (s snapshot) differences(r *http.Request, repeated bool) []string {
	var names []string
	was, is := reflect.ValueOf(s.request), reflect.ValueOf(*r)
	for i := range was.NumField() {
		f := was.Type().Field(i)
		if !f.IsExported() || repeated && f.Name == "Body" {
			continue
		}
		if !same(was.Field(i), is.Field(i)) {
			names = append(names, f.Name)
		}
	}
	if !reflect.DeepEqual(s.url, r.URL) {
		names = append(names, "URL")
	}
	if !maps.EqualFunc(s.header, r.Header, slices.Equal) || !maps.EqualFunc(s.trailer, r.Trailer, slices.Equal) {
		names = append(names, "a header")
	}
	if !repeated && s.request.Context() != r.Context() {
		names = append(names, "the context")
	}
	return names
}

// same compares functions by their code, and everything else by identity where it
// has one.
func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Func, reflect.Map, reflect.Pointer, reflect.Chan:
		return a.Pointer() == b.Pointer()
	case reflect.Interface:
		return a.Interface() == b.Interface()
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// companions returns how many goroutines share the synctest bubble of the caller,
// and their stacks. Those that run the bubble itself do not count.
func companions() (int, string) {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	stacks := strings.Split(string(buf), "\n\n")
	own := bubbleOf(stacks[0])
	var others []string
	for _, s := range stacks[1:] {
		if own != "" && bubbleOf(s) == own && !strings.Contains(s, "testing/synctest.") {
			others = append(others, s)
		}
	}
	return len(others), strings.Join(others, "\n\n")
}

// bubbleOf returns the name of the bubble in the first line of a stack.
func bubbleOf(stack string) string {
	line, _, _ := strings.Cut(stack, "\n")
	_, name, ok := strings.Cut(line, "synctest bubble ")
	if !ok {
		return ""
	}
	var number int
	if _, err := fmt.Sscanf(name, "%d", &number); err != nil {
		return ""
	}
	return fmt.Sprint(number)
}
