package scan

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestJSONScan(t *testing.T) {
	s := JSON{Text: ` {"a" : 1, "b":{"c":"x\"\u0041\n","d":[true, null,{"e":-1.5}]},"f":""} trailing`}
	var got []string
	for s.Next() {
		got = append(got, fmt.Sprintf("%s=%s/%d/%v", s.Key, s.Value, s.Depth, s.Quoted))
	}
	assert.Equal(t, []string{`a=1/1/false`, "c=x\"A\n/2/true", "d=true/3/false", "d=null/3/false", "e=-1.5/4/false", "f=/1/true",
		"=trailing/0/false"}, got)

	for _, broken := range []string{`{"a`, `{"a\`, `{"a":"b`, `}`, `{"a":}`, `{,,,}`, `{"a" "b"}`, `[[[`, `{"a":1}}`, `"x"`, `:`} {
		s := JSON{Text: broken}
		for n := 0; s.Next(); n++ {
			assert.Less(t, n, 3, broken)
		}
	}
}
