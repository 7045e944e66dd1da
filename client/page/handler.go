package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/forbear-go/forbear/client"
)

// A handler serves the page of one transport.
type handler struct {
	page      *Page
	transport *client.Transport

	mu    sync.Mutex
	taken time.Time // when all and rules were
	all   []client.Status
	rules *declared
}

var (
	//go:embed page.css
	css string
	//go:embed page.js
	script string
	//go:embed page.html
	document string

	pages = template.Must(template.New("page").Funcs(functions).Funcs(template.FuncMap{
		"css":    func() template.CSS { return template.CSS(css) },  //nolint:gosec // it is part of the program
		"script": func() template.JS { return template.JS(script) }, //nolint:gosec // it is part of the program
	}).Parse(document))

	// policy keeps browsers from running or loading anything that is not part of the page.
	policy = "default-src 'none'; base-uri 'none'; form-action 'self'; img-src data:; frame-ancestors 'none'; connect-src 'self'; " +
		"style-src '" + hash(css) + "'; script-src '" + hash(script) + "'"
)

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// ServeHTTP answers in the form that the request accepts.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("Vary", "Accept")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	q := queryOf(r.URL.Query())
	switch formOf(r.Header.Get("Accept")) {
	case asEvents:
		h.stream(w, r, &q)
	case asJSON:
		head.Set("Content-Type", "application/json")
		text, err := json.Marshal(h.view(&q))
		send(w, r, text, err)
	case asDocument:
		head.Set("Content-Type", "text/html; charset=utf-8")
		head.Set("Content-Security-Policy", policy)
		text, err := render("document", h.view(&q))
		send(w, r, text, err)
	}
}

// send sends text, or status 500 if err is not nil.
func send(w http.ResponseWriter, r *http.Request, text []byte, err error) {
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) //nolint:gosec // the template escaped it, and a reader that has gone misses nothing
	}
}

// A form is a format in which a view is sent.
type form int

const (
	asDocument form = iota
	asEvents
	asJSON
)

// formOf returns the form that an Accept field names first.
func formOf(accept string) form {
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/event-stream":
			return asEvents
		case "application/json":
			return asJSON
		case "text/html", "application/xhtml+xml":
			return asDocument
		}
	}
	return asDocument
}

// render writes part of the document.
func render(name string, v *View) ([]byte, error) {
	var b bytes.Buffer
	err := pages.ExecuteTemplate(&b, name, v)
	return b.Bytes(), err
}

// view returns what the page shows. The transport sends nothing while it makes a snapshot,
// so it makes at most two a second, however many readers the page has.
func (h *handler) view(q *query) *View {
	h.mu.Lock()
	now := time.Now()
	if h.all == nil || now.Sub(h.taken) >= refresh/2 {
		h.all, h.rules, h.taken = h.transport.Snapshot(), sortDeclared(h.transport.Declared()), now
	}
	all, rules := h.all, h.rules
	h.mu.Unlock()
	return h.page.view(now, all, rules, q)
}

// stream sends the changing part of the document, and again whenever it has changed.
func (h *handler) stream(w http.ResponseWriter, r *http.Request, q *query) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // proxies should not collect events
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		v := h.view(q)
		q.shown = q.shown[:0]
		for i := range v.Keys {
			q.shown = append(q.shown, v.Keys[i].ID)
		}
		text, err := render("live", v)
		if err != nil {
			return
		}
		_ = out.SetWriteDeadline(time.Now().Add(10 * refresh)) // some writers do not support deadlines
		message := "data: " + strings.ReplaceAll(string(text), "\n", "\ndata: ") + "\n\n"
		if _, err := w.Write([]byte(message)); err != nil { //nolint:gosec // the template escaped it
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}
