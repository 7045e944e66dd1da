package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The fields by which the requests of the chaos tell what they are.
const (
	chaosID      = "X-Chaos-Id"      // of the request, the same in all its attempts
	chaosOnce    = "X-Chaos-Once"    // it must not be executed twice
	chaosHostile = "X-Chaos-Hostile" // it has a key of its own, and may be answered with anything
)

// A chaosServer is a server on a socket that does all that servers do, and keeps
// account of it.
type chaosServer struct {
	mu       sync.Mutex           // guards the fields below
	executed map[string]int       // how often, by request
	told     map[string]time.Time // when a request may come back, by request
	opens    map[string]time.Time // the same of those whose refusals arrived
	faults   []string             // of the client
	kinds    map[string]int       // of answers
	era      int                  // how often it was restarted
	ts       *httptest.Server

	http2       bool // over TLS; else it is HTTP/1.1 without
	certificate tls.Certificate
	addr        string
	done        chan struct{} // closed when the chaos is over: nobody stalls any more
	stop        sync.Once
	serve       atomic.Int64 // requests
}

func newChaosServer(t testing.TB, http2 bool) *chaosServer {
	s := &chaosServer{
		executed: map[string]int{}, told: map[string]time.Time{}, opens: map[string]time.Time{}, kinds: map[string]int{},
		http2: http2, certificate: certify(t), addr: "127.0.0.1:0", done: make(chan struct{}),
	}
	require.NoError(t, s.start())
	s.addr = s.ts.Listener.Addr().String()
	return s
}

// start listens where the server did before, if it did.
func (s *chaosServer) start() error {
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	ts := httptest.NewUnstartedServer(s)
	ts.Listener.Close()
	ts.Listener, ts.EnableHTTP2 = l, s.http2
	ts.Config.ErrorLog = quiet
	if s.http2 {
		ts.TLS = &tls.Config{Certificates: []tls.Certificate{s.certificate}}
		ts.StartTLS()
	} else {
		ts.Start()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ts = ts
	return nil
}

// url returns the address of the server under a name.
func (s *chaosServer) url(host string) string {
	_, port, _ := net.SplitHostPort(s.addr)
	scheme := "http"
	if s.http2 {
		scheme = "https"
	}
	return scheme + "://" + host + ".example.com:" + port + "/"
}

// certify makes a certificate for the server, with a key of the quick kind: there
// are many handshakes.
func certify(t testing.TB) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	require.NoError(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"*.example.com"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(crand.Reader, &template, &template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// restart breaks all connections, is away for a moment, and comes back.
func (s *chaosServer) restart() error {
	s.mu.Lock()
	ts := s.ts
	s.mu.Unlock()
	ts.Config.Close() // unlike the methods of ts, it waits for nobody
	s.mu.Lock()
	s.era++
	clear(s.told)
	clear(s.opens)
	s.mu.Unlock()
	time.Sleep(5 * time.Millisecond)
	return s.start()
}

func (s *chaosServer) close() {
	s.stop.Do(func() { close(s.done) })
	s.ts.Config.Close()
}

func (s *chaosServer) note(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds[kind]++
}

func (s *chaosServer) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// ServeHTTP does anything.
func (s *chaosServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.serve.Add(1)
	id := r.Header.Get(chaosID)
	era := s.checkArrival(id)
	if r.Header.Get(chaosHostile) == "" {
		wide(w.Header())
	}
	if strings.HasPrefix(r.Host, "other.") {
		for _, name := range []string{"Authorization", "Cookie"} {
			if r.Header.Get(name) != "" {
				s.fault("request %s sends %s to another host", id, name)
			}
		}
		s.execute(w, r)
		return
	}
	if r.Header.Get(chaosHostile) != "" {
		s.hostile(w)
		s.execute(w, r)
		return
	}
	s.misbehave(w, r, id, era)
}

// misbehave picks what happens to a request of which the answer is up to chance.
func (s *chaosServer) misbehave(w http.ResponseWriter, r *http.Request, id string, era int) {
	switch p := rand.IntN(100); {
	case p < 6:
		s.refuse(w, r, era, http.StatusTooManyRequests)
	case p < 8:
		s.refuse(w, r, era, http.StatusServiceUnavailable)
	case p < 10:
		s.execute(failing{w}, r)
	case p < 11:
		s.note("reset before")
		panic(http.ErrAbortHandler)
	case p < 12:
		s.execute(httptest.NewRecorder(), r)
		s.note("reset after")
		panic(http.ErrAbortHandler)
	case p < 13:
		s.note("truncated")
		w.Header().Set("Content-Length", "10000")
		s.execute(w, r)
		panic(http.ErrAbortHandler)
	case p < 15:
		s.note("stalled")
		s.pause(time.Duration(rand.IntN(30)) * time.Millisecond)
		s.execute(w, r)
	case p < 17:
		s.note("redirected")
		http.Redirect(w, r, s.url("other"), http.StatusTemporaryRedirect)
	default:
		s.pause(time.Duration(rand.IntN(2000)) * time.Microsecond) // answers overtake each other
		s.execute(w, r)
	}
}

func (s *chaosServer) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.done:
	}
}

// checkArrival holds an attempt against what the one before it was told. It returns
// the era in which it came.
func (s *chaosServer) checkArrival(id string) int {
	now := time.Now()
	s.mu.Lock()
	opens, era := s.opens[id], s.era
	s.mu.Unlock()
	if now.Before(opens) {
		s.fault("request %s comes %v too early", id, opens.Sub(now))
	}
	return era
}

// arrived notes that the client has the header of a refusal. Some get lost with their connection.
func (s *chaosServer) arrived(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opens[id] = s.told[id]
}

// refuse turns a request away for some milliseconds, in one of several ways.
func (s *chaosServer) refuse(w http.ResponseWriter, r *http.Request, era, status int) {
	id := r.Header.Get(chaosID)
	s.note(strconv.Itoa(status))
	wait := 1 + rand.IntN(12)
	s.mu.Lock()
	if s.era == era {
		s.told[id] = time.Now().Add(time.Duration(wait) * time.Millisecond)
	}
	s.mu.Unlock()
	h := w.Header()
	seconds := fmt.Sprintf("%.3f", float64(wait)/1000)
	h.Set("X-RateLimit-Remaining", "0")
	h.Set("X-RateLimit-Reset", seconds)
	form := rand.IntN(3)
	switch {
	case form == 0:
		h.Set("Retry-After-Ms", strconv.Itoa(wait))
	case form == 1 || r.Method == http.MethodHead:
		h.Set("Retry-After", seconds)
	default: // in the body, which begins only after a while
		h.Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = http.NewResponseController(w).Flush()
		s.pause(time.Millisecond)
		fmt.Fprintf(w, `{"error":"rate limited","retry_after_ms":%d}`, wait)
		return
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, strings.Repeat("later ", rand.IntN(10_000)))
}

// wide announces a limit that is far away, except in refusals, so that those teach no
// narrower one.
func wide(h http.Header) {
	h.Set("X-RateLimit-Limit", "1000000000")
	h.Set("X-RateLimit-Remaining", "900000000")
	h.Set("X-RateLimit-Reset", "3600")
}

// hostile makes a header that no server should send.
func (s *chaosServer) hostile(w http.ResponseWriter) {
	s.note("hostile")
	for range 1 + rand.IntN(4) {
		value := hostileValues[rand.IntN(len(hostileValues))]
		if len(value) > 1<<16 || strings.IndexByte(value, 0) >= 0 || strings.IndexByte(value, 0xff) >= 0 {
			continue // net/http lets it pass in neither direction
		}
		w.Header().Add(hostileNames[rand.IntN(len(hostileNames))], value)
	}
}

// execute does what the request asks for, and answers with its body.
func (s *chaosServer) execute(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.note("broken request")
		panic(http.ErrAbortHandler)
	}
	id := r.Header.Get(chaosID)
	s.mu.Lock()
	s.executed[id]++
	n := s.executed[id]
	s.mu.Unlock()
	if want := r.Header.Get("X-Chaos-Length"); want != strconv.Itoa(len(body)) && r.Method != http.MethodGet {
		s.fault("request %s has a body of %d bytes and not of %s", id, len(body), want)
	}
	if n > 1 && r.Header.Get(chaosOnce) != "" {
		s.fault("request %s was executed %d times", id, n)
	}
	_, _ = w.Write(body)
}

// A failing writer answers 500, whatever the handler thinks.
type failing struct{ http.ResponseWriter }

func (f failing) Write(b []byte) (int, error) {
	f.WriteHeader(http.StatusInternalServerError)
	return f.ResponseWriter.Write(b)
}
