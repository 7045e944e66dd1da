package header

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sample is one response of testdata/corpus with the right reading.
type sample struct {
	ID         string
	Provider   string
	Source     string
	Kind       string
	Chosen     bool // the notation is the source's, the values are not
	Confidence string
	Host       string
	Dialect    string
	Now        time.Time
	Status     int
	Header     []string
	Body       string
	Want       want
}

type want struct {
	Refused  bool
	Wait     *float64 // of a refusal, in seconds
	Also     *float64 // another wait that is as good
	Advisory *float64 // of an answer that is no refusal
	Windows  []wantWindow
}

type wantWindow struct {
	Name                   string
	Limit, Remaining, Used *float64
	Reset                  *time.Time
	Length                 float64
	Unit, Scope            string
}

func (s *sample) header() http.Header {
	h := http.Header{}
	for _, line := range s.Header {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.TrimSpace(value))
	}
	return h
}

func (s *sample) reader(t testing.TB) *Reader {
	var more []Dialect
	if s.Dialect != "" {
		d, err := Named(s.Dialect)
		require.NoError(t, err)
		d.Hosts = nil
		more = append(more, d)
	}
	rd, err := NewReader(s.Host, more...)
	require.NoError(t, err)
	return rd
}

func (s *sample) read(t testing.TB) *Reading {
	var r Reading
	s.reader(t).Read(&r, s.Status, s.header(), []byte(s.Body), s.Now)
	return &r
}

func loadCorpus(t testing.TB) []sample {
	files, err := filepath.Glob("testdata/corpus/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var all []sample
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var some []sample
		require.NoError(t, json.Unmarshal(data, &some), file)
		all = append(all, some...)
	}
	return all
}

// wrongWindows says what is wrong with the windows of a reading, "" for nothing.
func wrongWindows(s *sample, r *Reading) string {
	wanted := slices.DeleteFunc(slices.Clone(s.Want.Windows), func(w wantWindow) bool {
		return w.Limit == nil && w.Remaining == nil && w.Used == nil && w.Reset == nil
	})
	left := slices.DeleteFunc(slices.Clone(r.Windows), func(w Window) bool {
		return !w.Limit.Known() && !w.Remaining.Known() && !w.Used.Known() && !w.Reset.Known()
	})
	var wrong []string
	for _, w := range wanted {
		i := slices.IndexFunc(left, func(got Window) bool { return s.sameWindow(w, got) })
		if i < 0 {
			wrong = append(wrong, "missing "+fmt.Sprint(w.text()))
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, w := range left {
		wrong = append(wrong, "extra "+windowText(w))
	}
	return strings.Join(wrong, "; ")
}

func (s *sample) sameWindow(w wantWindow, got Window) bool {
	count := func(want *float64, got Count) bool {
		if want == nil || !got.Known() {
			return want == nil && !got.Known()
		}
		return math.Abs(*want-got.Value) < 1e-9
	}
	if !count(w.Limit, got.Limit) || !count(w.Remaining, got.Remaining) || !count(w.Used, got.Used) {
		return false
	}
	if (w.Reset != nil) != got.Reset.Known() {
		return false
	}
	if w.Reset != nil {
		at := got.Reset.At
		if at.IsZero() {
			at = s.Now.Add(got.Reset.In)
		}
		if d := at.Sub(*w.Reset); d.Abs() > time.Second {
			return false
		}
	}
	if got.Length != time.Duration(w.Length*float64(time.Second)) {
		return false
	}
	// The unit counts only where the response itself tells it.
	return w.Unit == "" || w.Unit == got.Unit
}

func (w wantWindow) text() string { b, _ := json.Marshal(w); return string(b) }

func windowText(w Window) string {
	return fmt.Sprintf("{%s limit=%v remaining=%v used=%v reset=%v/%v length=%v unit=%q scope=%q}", w.Name,
		w.Limit, w.Remaining, w.Used, w.Reset.At, w.Reset.In, w.Length, w.Unit, w.Scope)
}

// wrongWait says what is wrong with the wait of a refusal, or with the pause that
// another answer asks for; "" for nothing.
func wrongWait(s *sample, r *Reading) string {
	want := s.Want.Wait
	if !s.Want.Refused {
		want = s.Want.Advisory
	}
	switch {
	case want == nil && r.Wait.Known():
		return fmt.Sprintf("a wait of %v out of nothing", r.Wait.Delay)
	case want == nil:
		return ""
	case !r.Wait.Known():
		return fmt.Sprintf("no wait, want %v s", *want)
	}
	right := func(seconds *float64) bool {
		if seconds == nil {
			return false
		}
		return math.Abs(*seconds-r.Wait.Delay.Seconds()) < 1 || *seconds > maxDelay.Seconds() && r.Wait.Delay == maxDelay
	}
	if !right(want) && !right(s.Want.Also) {
		return fmt.Sprintf("a wait of %v, want %v s", r.Wait.Delay, *want)
	}
	return ""
}

// misses are the responses that are read wrong, with the reason why each one is,
// from testdata/misses.txt: one "id: reason" a line.
func misses(t *testing.T) map[string]string {
	data, err := os.ReadFile("testdata/misses.txt")
	require.NoError(t, err)
	all := map[string]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		id, reason, ok := strings.Cut(line, ":")
		require.True(t, ok && strings.TrimSpace(reason) != "", "a miss without a reason: %s", line)
		all[id] = strings.TrimSpace(reason)
	}
	return all
}

// share is how many of how many were right, and how many must be.
type share struct {
	what       string
	right, all int
	target     float64
}

func (s *share) add(wrong string) {
	s.all++
	if wrong == "" {
		s.right++
	}
}

// TestCorpus reads every response of testdata/corpus and prints how many it
// reads right. What it reads wrong must be listed in testdata/misses.txt, and
// nothing else may be.
func TestCorpus(t *testing.T) {
	windows := share{what: "windows", target: 0.99}
	waits := share{what: "wait of a refusal", target: 0.98}
	refused := share{what: "refused or not", target: 1}
	pauses := share{what: "pause on another answer", target: 1}
	listed := misses(t)
	seen := map[string]bool{}
	for _, s := range loadCorpus(t) {
		require.False(t, seen[s.ID], "two responses are called %s", s.ID)
		seen[s.ID] = true
		r := s.read(t)
		wrong := []string{wrongWindows(&s, r), wrongWait(&s, r), ""}
		if r.Refused != s.Want.Refused {
			wrong[2] = fmt.Sprintf("refused is %v", r.Refused)
		}
		windows.add(wrong[0])
		refused.add(wrong[2])
		if s.Want.Refused {
			waits.add(wrong[1])
		} else {
			pauses.add(wrong[1])
		}
		text := strings.Join(slices.DeleteFunc(wrong, func(w string) bool { return w == "" }), "; ")
		if _, ok := listed[s.ID]; ok {
			assert.NotEmpty(t, text, "%s is listed as a miss but is read right", s.ID)
		} else {
			assert.Empty(t, text, "%s is read wrong and not listed", s.ID)
		}
	}
	for id := range listed {
		assert.True(t, seen[id], "%s is listed as a miss but does not exist", id)
	}
	for _, s := range []share{windows, waits, refused, pauses} {
		t.Logf("%-24s %3d of %3d right", s.what, s.right, s.all)
		assert.GreaterOrEqual(t, float64(s.right), s.target*float64(s.all), s.what)
	}
}

// TestCorpusNames checks the names of windows, which people see and which tell
// the windows of a response apart. A name has no right spelling, so those that
// differ from the corpus on purpose are not counted as wrong readings.
func TestCorpusNames(t *testing.T) {
	var same, all int
	for _, s := range loadCorpus(t) {
		r := s.read(t)
		for _, w := range s.Want.Windows {
			i := slices.IndexFunc(r.Windows, func(got Window) bool { return s.sameWindow(w, got) })
			if i < 0 {
				continue
			}
			all++
			if r.Windows[i].Name == w.Name {
				same++
			} else {
				t.Logf("%s: %q, in the corpus %q", s.ID, r.Windows[i].Name, w.Name)
			}
		}
	}
	t.Logf("%d of %d names are those of the corpus", same, all)
	assert.GreaterOrEqual(t, same, all*9/10)
}
