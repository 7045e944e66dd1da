package contract

import (
	"flag"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/internal/lab"
	"github.com/forbear-go/forbear/internal/lab/peer"
)

var update = flag.Bool("update", false, "write how the clauses are kept to testdata")

const file = "../testdata/contract.json"

// Each client breaks the clauses that the table says, and no other.
func TestContract(t *testing.T) {
	want := map[[2]string]string{}
	if !*update {
		verdicts, err := lab.Read[Verdict](file)
		require.NoError(t, err)
		for _, v := range verdicts {
			want[[2]string{v.Clause, v.Client}] = v.Fault
		}
	}
	var got []Verdict
	for _, name := range Wrappers() {
		c, known := peer.Named(name)
		require.True(t, known)
		for _, clause := range Clauses() {
			t.Run(name+"/"+clause.Name, func(t *testing.T) {
				v := Verdict{Clause: clause.Name, Client: name}
				synctest.Test(t, func(t *testing.T) {
					v.Fault = clause.Try(t.Context(), func(base http.RoundTripper) (http.RoundTripper, error) {
						return c.New(peer.Setting{Base: base})
					})
					time.Sleep(48 * time.Hour) // until whatever was left behind has ended
				})
				got = append(got, v)
				if !*update {
					fault, known := want[[2]string{v.Clause, v.Client}]
					assert.True(t, known, "the table has no such line")
					assert.Equal(t, fault, v.Fault)
				}
			})
		}
	}
	if *update {
		require.NoError(t, lab.Write(file, got))
	}
}
