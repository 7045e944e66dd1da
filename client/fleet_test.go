package client

import "testing"

func TestWithFleetNeedsOne(t *testing.T) {
	if _, err := NewTransport(nil, WithFleet(nil)); err == nil {
		t.Error("no fleet is an error")
	}
}
