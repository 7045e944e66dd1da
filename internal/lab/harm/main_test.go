package harm

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/forbear-go/forbear/internal/chance"
)

// In virtual time hardly anything runs at the same time as something else, and processors that wait for each
// other cost a quarter. Whatever is to be raced is.
func TestMain(m *testing.M) {
	if !chance.Raced {
		runtime.GOMAXPROCS(1)
		debug.SetGCPercent(400)
	}
	os.Exit(m.Run())
}
