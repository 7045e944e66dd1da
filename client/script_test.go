package client_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// answers makes a response of the given status after the request was read.
func answers(status int, fields ...string) script {
	return func(p *probe, req *http.Request) (*http.Response, error) {
		p.consume(req)
		text := "answer " + http.StatusText(status)
		return p.response(req, status, watch(strings.NewReader(text)), text, fields...), nil
	}
}

// Responses that are used again and again.
var (
	ok          = answers(http.StatusOK)
	unavailable = answers(http.StatusServiceUnavailable)
)

// refuses answers 429, with Retry-After.
func refuses(seconds string) script {
	return answers(http.StatusTooManyRequests, "Retry-After", seconds)
}

// breaksOff fails after half of the request body was sent.
func breaksOff(p *probe, req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.CopyN(io.Discard, req.Body, int64(len(p.content)/2))
		req.Body.Close()
	}
	return nil, io.ErrUnexpectedEOF
}

var errUnexpected = io.ErrUnexpectedEOF

// fails answers with an error.
func fails(err error) script {
	return func(p *probe, req *http.Request) (*http.Response, error) {
		p.consume(req)
		return nil, err
	}
}

var errOdd = errors.New("odd")

func bothAnswers(p *probe, req *http.Request) (*http.Response, error) {
	resp, _ := ok(p, req)
	return resp, errOdd
}

func answersNothing(p *probe, req *http.Request) (*http.Response, error) {
	p.consume(req)
	return nil, nil
}

// answersNilBody answers with a nil body, as many a RoundTripper does.
func answersNilBody(status int) script {
	return func(p *probe, req *http.Request) (*http.Response, error) {
		resp, _ := answers(status)(p, req)
		p.mu.Lock()
		defer p.mu.Unlock()
		resp.Body, resp.ContentLength = nil, 0
		p.got, p.texts = p.got[:len(p.got)-1], p.texts[:len(p.texts)-1]
		return resp, nil
	}
}

// panicsWith panics before the request body was closed.
func panicsWith(v any) script {
	return func(*probe, *http.Request) (*http.Response, error) { panic(v) }
}

// readsBroken fails as net/http does when the body cannot be read to its end, of
// which half is there.
func readsBroken(p *probe, req *http.Request) (*http.Response, error) {
	got, err := io.ReadAll(req.Body)
	req.Body.Close()
	if len(got) != len(p.content)/2 || !errors.Is(err, errRead) {
		p.breaks("a broken body reads as %d bytes, %v", len(got), err)
	}
	return nil, err
}

// refusesEarly answers 429, to come back in a second, when n bytes of the request body were sent. If
// the body is closed late, more of it is read after the response, as http.Transport does.
func refusesEarly(n int64) script {
	return func(p *probe, req *http.Request) (*http.Response, error) {
		got, err := io.ReadAll(io.LimitReader(req.Body, n))
		if err != nil || string(got) != p.content[:n] {
			p.breaks("an attempt begins with %d bytes of the body and not %d: %v", len(got), n, err)
		}
		if p.late {
			go func() {
				_, _ = io.CopyN(io.Discard, req.Body, 1000)
				time.Sleep(100 * time.Millisecond)
				req.Body.Close()
			}()
		} else {
			req.Body.Close()
		}
		return p.response(req, http.StatusTooManyRequests, watch(strings.NewReader("early")), "early", "Retry-After", "1"), nil
	}
}

// readsHanging reads the body, and fails as the context says.
func readsHanging(_ *probe, req *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, req.Body)
	req.Body.Close()
	return nil, req.Context().Err()
}

// answersSlowly answers at once, with a body that takes a while and needs the context of
// the request.
func answersSlowly(d time.Duration) script {
	return func(p *probe, req *http.Request) (*http.Response, error) {
		p.consume(req)
		slow := readerFunc(func([]byte) (int, error) {
			select {
			case <-time.After(d):
				return 0, io.EOF
			case <-req.Context().Done():
				return 0, req.Context().Err()
			}
		})
		return p.response(req, http.StatusOK, watch(io.MultiReader(strings.NewReader("in the end"), slow)), "in the end"), nil
	}
}

// hangs answers when the request's context ends, with its error.
func hangs(p *probe, req *http.Request) (*http.Response, error) {
	p.consume(req)
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// refusesText answers 429 with a text in JSON.
func refusesText(text string) script {
	return func(p *probe, req *http.Request) (*http.Response, error) {
		p.consume(req)
		resp := p.response(req, http.StatusTooManyRequests, watch(strings.NewReader(text)), text)
		resp.Header.Set("Content-Type", "application/json")
		return resp, nil
	}
}

// refusesWith answers 429 with a body that is not meant to be read to its end.
func refusesWith(body func() *watched, fields ...string) script {
	return func(p *probe, req *http.Request) (*http.Response, error) {
		p.consume(req)
		return p.response(req, http.StatusTooManyRequests, body(), "", fields...), nil
	}
}

// answersLate answers when the context of the request has ended, all the same.
func answersLate(p *probe, req *http.Request) (*http.Response, error) {
	resp, err := ok(p, req)
	<-req.Context().Done()
	return resp, err
}

// setLength tells the length of a body of which it was not known.
func setLength(req *http.Request) { req.ContentLength = 20_000 }
