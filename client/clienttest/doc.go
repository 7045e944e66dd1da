// Package clienttest is an HTTP API with rate limits, for tests of programs that call
// one: what package httptest is for handlers. Its limiters are exact, it tells of them
// in the header dialects of real APIs, it refuses and fails as they do, and it knows
// afterwards what it admitted and refused.
//
// A test of code that pages through an API, in virtual time, so that it is over at once:
//
//	func TestFetchAll(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			api := clienttest.NewInMemory(
//				clienttest.Fixed(20, time.Minute), clienttest.Draft8(), clienttest.Handler(http.HandlerFunc(pages)))
//			defer api.Close()
//			hc, err := client.Wrap(api.Client())
//			if err != nil {
//				t.Fatal(err)
//			}
//			items, err := FetchAll(t.Context(), hc, api.URL)
//			if err != nil || len(items) != 100 {
//				t.Errorf("got %d items, error %v", len(items), err)
//			}
//			api.MustNotRefuse(t)
//		})
//	}
//
// [NewServer] is the same over a socket, in real time. Either works with any client,
// whether it uses forbear or not, and with SDKs that have a base URL of their own: a
// client that [Server.Client] returned reaches the server whatever the host.
package clienttest
