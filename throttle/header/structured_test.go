package header

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/stretchr/testify/require"
)

// oracle is a window as a strict parser of structured fields (RFC 9651) reads it.
type oracle struct {
	rest, left int64 // -1 for none
}

// strictItems reads RateLimit of the drafts since the eighth. It reports false
// when the field is not one: then there is nothing to compare with.
func strictItems(v string) (map[string]oracle, bool) {
	list, err := httpsfv.UnmarshalList([]string{v})
	if err != nil || len(list) > 8 {
		return nil, false
	}
	all := map[string]oracle{}
	for _, m := range list {
		it, ok := m.(httpsfv.Item)
		if !ok {
			return nil, false
		}
		name, ok := it.Value.(string)
		if token, is := it.Value.(httpsfv.Token); is {
			name, ok = string(token), true
		}
		if _, twice := all[name]; !ok || twice || name == "" || strings.TrimSpace(name) != name {
			return nil, false
		}
		o := oracle{-1, -1}
		for _, key := range it.Params.Names() {
			value, _ := it.Params.Get(key)
			n, whole := value.(int64)
			switch {
			case key == "r" && whole && n >= 0:
				o.rest = n
			case key == "t" && whole && n >= 0 && n <= maxDelta:
				o.left = n
			case key != "r" && key != "t" && !lenient[key]:
			default:
				return nil, false
			}
		}
		if o == (oracle{-1, -1}) {
			return nil, false
		}
		all[name] = o
	}
	return all, len(all) > 0
}

// lenient are parameters that are read here although the drafts do not know
// them in this place, or that make two windows of one name.
var lenient = map[string]bool{"q": true, "w": true, "pk": true, "qu": true, "window": true, "quota": true,
	"limit": true, "remaining": true, "reset": true}

// FuzzStructured compares with a strict parser: whatever it reads, is read the
// same here.
func FuzzStructured(f *testing.F) {
	for _, v := range []string{`"default";r=50;t=30`, `"day";r=100;t=36000, "hour";r=5`, `quota;t=1`, `"a\"b";r=0`,
		`"x" ;  r=1;t=2 ,"y";t=3`, `"a";x="b;c,d";r=3`, `"a";foo;r=1`, `*tok/en:;r=1`, `"-0";t=0,"0";r=0`, `A-0;t=7,"0";r=2`} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		want, ok := strictItems(v)
		if !ok || len(v) > maxValue {
			return
		}
		var r Reading
		r.Read(http.StatusOK, http.Header{"Ratelimit": {v}}, nil, benchNow)
		require.Len(t, r.Windows, len(want), "%q", v)
		for _, w := range r.Windows {
			name, err := httpsfv.UnmarshalItem([]string{fmt.Sprintf(`"%s"`, w.Name)})
			if err != nil {
				name.Value = w.Name
			}
			o, ok := want[name.Value.(string)]
			require.True(t, ok, "%q: no window is named %q", v, w.Name)
			require.Equal(t, o.rest >= 0, w.Remaining.Known(), "%q", v)
			require.Equal(t, float64(max(o.rest, 0)), w.Remaining.Value, "%q", v)
			require.Equal(t, o.left >= 0, w.Reset.Known(), "%q", v)
			require.Equal(t, time.Duration(max(o.left, 0))*time.Second, w.Reset.In, "%q", v)
		}
	})
}

// FuzzDictionary does the same for the seventh draft.
func FuzzDictionary(f *testing.F) {
	for _, v := range []string{"limit=100, remaining=50, reset=5", "limit=10,reset=1", "remaining=0", "limit=5;x=1, reset=2"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		dict, err := httpsfv.UnmarshalDictionary([]string{v})
		if err != nil || len(v) > maxValue || strings.Count(v, ",") >= len(dict.Names()) {
			return // also if a key comes twice: that is a second window here
		}
		got := map[string]int64{}
		for _, key := range dict.Names() {
			m, _ := dict.Get(key)
			it, ok := m.(httpsfv.Item)
			if !ok || len(it.Params.Names()) > 0 {
				return
			}
			n, whole := it.Value.(int64)
			if key != "limit" && key != "remaining" && key != "reset" || !whole || n <= 0 || n > maxDelta {
				return
			}
			got[key] = n
		}
		if len(got) == 0 {
			return
		}
		var r Reading
		r.Read(http.StatusOK, http.Header{"Ratelimit": {v}}, nil, benchNow)
		require.Len(t, r.Windows, 1, "%q", v)
		w := r.Windows[0]
		require.Equal(t, float64(got["limit"]), w.Limit.Value, "%q", v)
		require.Equal(t, float64(got["remaining"]), w.Remaining.Value, "%q", v)
		require.Equal(t, time.Duration(got["reset"])*time.Second, w.Reset.In, "%q", v)
	})
}
