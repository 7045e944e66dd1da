package freeport

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFind(t *testing.T) {
	addr, port, err := Find()
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:"+port, addr)
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	assert.Error(t, try(l.Addr().(*net.TCPAddr).Port), "it is in use")
	require.NoError(t, l.Close())
}
