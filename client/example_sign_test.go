package client_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/client/clienttest"
)

// An hmacSigner signs requests. It goes below forbear, so that a signature is made when the
// request goes, and a retry gets a new one.
type hmacSigner struct {
	base   http.RoundTripper
	secret []byte
}

// RoundTrip implements http.RoundTripper.
func (s hmacSigner) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context()) // the caller's stays as it is
	date := time.Now().UTC().Format(http.TimeFormat)
	mac := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(mac, "%s %s %s", req.Method, req.URL.RequestURI(), date)
	req.Header.Set("Date", date)
	req.Header.Set("Authorization", "HMAC "+hex.EncodeToString(mac.Sum(nil)))
	return s.base.RoundTrip(req)
}

// A signature is good for a few minutes, so it must not be made before the wait.
func ExampleNewTransport_signing() {
	api := clienttest.NewServer()
	defer api.Close()

	transport, err := client.NewTransport(hmacSigner{api.Client().Transport, []byte("secret")})
	if err != nil {
		fmt.Println(err)
		return
	}
	hc := &http.Client{Transport: transport}
	resp, err := hc.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, len(api.Requests()[0].Header.Get("Authorization")))
	// Output: 200 69
}
