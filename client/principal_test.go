package client

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/client/internal/credentials"
	"github.com/forbear-go/forbear/internal/chance"
)

// Who differs for the queue differs for the cache before it, however often they take
// turns, and whoever else has the same place there.
func TestAccountsAreNotMixedUp(t *testing.T) {
	type asked struct {
		req     *http.Request
		options callOptions
	}
	var all []asked
	ask := func(c callOptions, address string, fields ...string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		require.NoError(t, err)
		for i := 0; i < len(fields); i += 2 {
			r.Header.Add(fields[i], fields[i+1])
		}
		all = append(all, asked{r, c})
	}
	for _, host := range []string{
		"https://a.test", "http://a.test", "https://a.test:80", "http://a.test:443", "https://a.test:443", "https://A.test", "https://b.test",
	} {
		ask(callOptions{}, host)
		ask(callOptions{key: "k"}, host)
		ask(callOptions{}, host+"/?api_key=k")
		ask(callOptions{}, strings.Replace(host, "//", "//k@", 1))
		for _, name := range []string{"Authorization", "X-Api-Key", "Api-Key"} {
			ask(callOptions{}, host, name, "k")
			ask(callOptions{}, host, name, "l")
		}
		ask(callOptions{}, host, "Authorization", "k", "X-Api-Key", "l")
		ask(callOptions{}, host, "Authorization", "l", "X-Api-Key", "k")
	}
	for i := range 2000 { // more than there is room for
		ask(callOptions{}, "https://a.test", "Authorization", strings.Repeat("x", i+2))
	}
	tr, err := NewTransport(nil)
	require.NoError(t, err)
	defer tr.Close()
	keys := make(map[string]bool)
	for range 2 {
		for _, a := range all {
			s := credentials.Spender{URL: a.req.URL}
			tr.identify(&s, a.req, &a.options)
			who := tr.account(a.req, &a.options)
			require.Equal(t, s.Hash(), who.key, "%v %v", a.req.URL, a.req.Header)
			keys[who.key] = true
		}
	}
	assert.Len(t, keys, 1+2000+4*10, "three of the hosts are one, spelt otherwise, and so is that of http; Api-Key and api_key are one; k is the same for all")
}

// The memory of accounts grows with those in use, so that few are hashed twice, and no
// further than its bound.
func TestAccountsAreRemembered(t *testing.T) {
	if chance.Raced {
		t.Skip("it has one goroutine")
	}
	var a accounts
	require.Nil(t, a.find(1))
	remembered := func(n int) (found int) {
		for range 20 {
			found = 0
			for i := range n {
				sum := uint64(i+1) * 0x9e3779b97f4a7c15
				if known := a.find(sum); known == nil {
					a.add(&principal{sum: sum})
				} else if found++; known.sum != sum {
					t.Fatal("mixed up")
				}
			}
		}
		return found
	}
	assert.Equal(t, 10, remembered(10))
	assert.Len(t, *a.slots.Load(), fewSlots)
	assert.Greater(t, remembered(3000), 2400)
	remembered(10 * manySlots)
	assert.Len(t, *a.slots.Load(), manySlots)
}
