package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// A har is an HTTP archive, as browsers and proxies save it, as far as it matters here.
type har struct {
	Log struct {
		Entries []struct {
			Started string  `json:"startedDateTime"`
			Took    float64 `json:"time"` // milliseconds
			Request struct {
				URL string `json:"url"`
			} `json:"request"`
			Response struct {
				Status  int `json:"status"`
				Headers []struct {
					Name  string `json:"name"`
					Value string `json:"value"`
				} `json:"headers"`
				Content struct {
					Text     string `json:"text"`
					Encoding string `json:"encoding"`
				} `json:"content"`
			} `json:"response"`
		} `json:"entries"`
	} `json:"log"`
}

// parseHAR returns the responses in an HTTP archive. A value of the wrong type counts as one
// that is not there.
func parseHAR(text []byte) ([]*response, error) {
	var archive har
	err := json.Unmarshal(text, &archive)
	if _, odd := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !odd {
		return nil, fmt.Errorf("the input is no HAR file: %w", err)
	}
	var all []*response
	for i := range archive.Log.Entries {
		e := &archive.Log.Entries[i]
		if e.Response.Status < 100 {
			continue // it was never answered
		}
		r := &response{status: e.Response.Status, header: make(http.Header), body: []byte(e.Response.Content.Text)}
		if started, err := time.Parse(time.RFC3339, e.Started); err == nil {
			r.received = started.Add(time.Duration(e.Took * float64(time.Millisecond)))
		}
		if u, err := url.Parse(e.Request.URL); err == nil {
			r.host = u.Host
		}
		for _, h := range e.Response.Headers {
			r.header.Add(h.Name, h.Value)
		}
		if e.Response.Content.Encoding == "base64" {
			if body, err := base64.StdEncoding.DecodeString(e.Response.Content.Text); err == nil {
				r.body = body
			}
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, errors.New("the HAR file holds no response")
	}
	return all, nil
}
