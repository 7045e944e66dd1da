package fleet

import (
	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/queue"
)

// hostOf returns a host of which so many requests wait, all of the usual priority.
func hostOf(wake func(), waiting func() int) client.Host {
	return client.Host{Wake: wake, Waiting: func() (all, first int, highest queue.Priority) {
		n := waiting()
		return n, n, queue.Normal
	}}
}
