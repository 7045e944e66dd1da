package redisfleet

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A redisServer is one that can be taken away.
type redisServer struct {
	t         testing.TB
	addr, dir string
	cmd       *exec.Cmd
	cpu       time.Duration // that those used that ended
}

func (s *redisServer) start() {
	_, port, _ := strings.Cut(s.addr, ":")
	s.cmd = exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir)
	if err := s.cmd.Start(); err != nil {
		s.t.Error(err)
	}
}

func (s *redisServer) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it was killed
	s.cpu += s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
}

// do has the server execute a command.
func (s *redisServer) do(command ...any) {
	c := redis.NewClient(&redis.Options{Addr: s.addr})
	defer c.Close()
	if err := c.Do(s.t.Context(), command...).Err(); err != nil {
		s.t.Error(err)
	}
}

func (s *redisServer) signal(sig os.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Error(err)
	}
}
