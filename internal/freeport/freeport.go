// Package freeport finds ports for servers that tests start as processes of their own, which cannot be
// given a listener.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Bus is how much higher the port is that a node of a Redis cluster also listens on.
const Bus = 10000

// The ports lie below those that systems give to whoever asks for any (32768 and up on Linux, 49152 and up
// elsewhere): one of those would now and then be given to another test before the process listens, or
// while it is away.
const (
	lowest  = 10000
	highest = lowest + Bus
)

// Find returns an address of the loopback, and its port, on which nobody listens, nor on the port that is
// Bus higher. Two callers at the same time are given the same one once in ten thousand.
func Find() (addr, port string, err error) {
	for range 1000 {
		n := lowest + rand.IntN(highest-lowest)
		if err = try(n); err == nil {
			err = try(n + Bus)
		}
		if err == nil {
			port = strconv.Itoa(n)
			return net.JoinHostPort(host, port), port, nil
		}
	}
	return "", "", fmt.Errorf("freeport: there is none: %w", err)
}

const host = "127.0.0.1"

// try listens on a port for a moment.
func try(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))) //nolint:noctx // it returns at once
	if err != nil {
		return err
	}
	return l.Close()
}
