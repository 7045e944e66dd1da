package cost

import (
	"net/http"
	"strings"
)

// Spoken returns the API whose language a request to any host seems to speak, by its path, or nil: gateways,
// and servers that run models of one's own, have the paths of OpenAI's or of Anthropic's API. A request that
// names no model, as [API.Estimate] tells, is none of them.
func Spoken(req *http.Request) *API {
	if req == nil || req.URL == nil || req.Method != http.MethodPost {
		return nil
	}
	for _, s := range spoken {
		if strings.HasSuffix(req.URL.Path, s.end) {
			if s.name == "openai" && strings.Contains(req.URL.Path, "/deployments/") {
				return Named("azure-openai")
			}
			return Named(s.name)
		}
	}
	return nil
}

// spoken are the ends of the paths to which models are asked.
var spoken = []struct{ end, name string }{
	{"/chat/completions", "openai"},
	{"/v1/completions", "openai"},
	{"/v1/responses", "openai"},
	{"/v1/embeddings", "openai"},
	{"/v1/messages", "anthropic"},
}
