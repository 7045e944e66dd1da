package header

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestJSONScan(t *testing.T) {
	s := jsonScan{text: ` {"a" : 1, "b":{"c":"x\"\u0041\n","d":[true, null,{"e":-1.5}]},"f":""} trailing`}
	var got []string
	for s.next() {
		got = append(got, fmt.Sprintf("%s=%s/%d/%v", s.key, s.value, s.depth, s.quoted))
	}
	assert.Equal(t, []string{`a=1/1/false`, "c=x\"A\n/2/true", "d=true/3/false", "d=null/3/false", "e=-1.5/4/false", "f=/1/true",
		"=trailing/0/false"}, got)

	for _, broken := range []string{`{"a`, `{"a\`, `{"a":"b`, `}`, `{"a":}`, `{,,,}`, `{"a" "b"}`, `[[[`, `{"a":1}}`, `"x"`, `:`} {
		s := jsonScan{text: broken}
		for n := 0; s.next(); n++ {
			assert.Less(t, n, 3, broken)
		}
	}
}
