package peer

import (
	"net/http"

	"github.com/forbear-go/forbear/client"
)

func newForbear(s Setting) (http.RoundTripper, error) { return client.NewTransport(s.Base) }
