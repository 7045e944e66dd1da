package redisfleet

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/client/fleet"
	"github.com/redis/go-redis/v9"
)

// A twin runs the script at a given time, and returns what it replies and publishes.
type twin struct {
	name   string
	run    func(now time.Time, report []byte) (reply []byte, news []string, err error)
	forget func()
}

// embeddedTwin runs it in a server that is part of this process.
func embeddedTwin(t testing.TB) twin {
	t.Helper()
	server, c := embedded(t)
	store, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	sub := server.NewSubscriber()
	sub.Subscribe(store.channel())
	run := func(now time.Time, report []byte) (reply []byte, news []string, err error) {
		server.SetTime(now)
		var done sync.WaitGroup
		done.Go(func() {
			for m := range sub.Messages() {
				if m.Message == "" {
					return
				}
				news = append(news, m.Message)
			}
		})
		reply, err = store.Exchange(t.Context(), "key", report)
		server.Publish(store.channel(), "")
		done.Wait()
		return reply, news, err
	}
	return twin{"miniredis", run, server.FlushAll}
}

// realTwin runs it in a real server, told the time as one more argument: the server's own cannot be set.
func realTwin(t testing.TB, addr string) twin {
	t.Helper()
	const clock = "redis.call('TIME')"
	if strings.Count(parts+source, clock) != 1 {
		t.Fatal("the script does not ask for the time once")
	}
	timed := redis.NewScript(strings.Replace(parts+source, clock, "{ARGV[4], ARGV[5]}", 1))
	c := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = c.Close() })
	name := "twin:" + strconv.FormatInt(rand.Int64(), 36)
	keys, channel := []string{name + ":{key}"}, name+":news"
	sub := c.Subscribe(t.Context(), channel)
	t.Cleanup(func() { _ = sub.Close() })
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	run := func(now time.Time, report []byte) (reply []byte, news []string, err error) {
		text, err := timed.Run(t.Context(), c, keys, report, channel, "key", now.Unix(), now.Nanosecond()/1000).Text()
		if err == nil {
			err = c.Publish(t.Context(), channel, "").Err()
		}
		for err == nil {
			var m *redis.Message
			if m, err = sub.ReceiveMessage(t.Context()); err != nil || m.Payload == "" {
				break
			}
			news = append(news, m.Payload)
		}
		return []byte(text), news, err
	}
	return twin{"Redis", run, func() { c.Del(t.Context(), keys...) }}
}

// realServer returns the address of a real Redis; it is empty if there is none, and need not be one.
func realServer(t testing.TB) string {
	t.Helper()
	if os.Getenv("REDIS_ADDR") == "" && os.Getenv("REDIS_REQUIRED") == "" {
		if _, err := exec.LookPath("redis-server"); err != nil {
			return ""
		}
	}
	return server(t)
}

// A pair is the ledger in Go and the script, which are told the same.
type pair struct {
	memory *fleet.Memory
	twins  []twin
	now    time.Time
	news   []string // of the ledger
	pushes int
}

// newPair returns a pair whose script runs in a real server, if there is one, and otherwise in one that is part of
// this process, or in both.
func newPair(t testing.TB, real string, both bool) *pair {
	t.Helper()
	p := &pair{}
	if real != "" {
		p.twins = append(p.twins, realTwin(t, real))
	}
	if real == "" || both {
		p.twins = append(p.twins, embeddedTwin(t))
	}
	p.memory = &fleet.Memory{Now: func() time.Time { return p.now }}
	p.memory.Listen(func(key string, news []byte) { p.news = append(p.news, key+" "+string(news)) }, func() {})
	return p
}

// pass lets some time pass. Once in so many times each, it is more, or the clock is set back, or all forget
// everything.
func (p *pair) pass(draw *rand.Rand, now time.Time, times int) time.Time {
	now = now.Add(time.Duration(draw.Int64N(400)) * time.Millisecond)
	switch draw.IntN(times) {
	case 0:
		now = now.Add(time.Duration(draw.Int64N(8)) * time.Second)
	case 1:
		now = now.Add(-time.Duration(draw.Int64N(900)) * time.Millisecond)
	case 2:
		p.memory.Flush()
		for _, w := range p.twins {
			w.forget()
		}
	}
	return now
}

// exchange tells all, and returns what they reply, which must be the same.
func (p *pair) exchange(t testing.TB, now time.Time, q map[string]any) map[string]any {
	t.Helper()
	p.now = now
	report, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	p.news = nil
	inGo, err := p.memory.Exchange(t.Context(), "key", report)
	if err != nil {
		t.Fatal(err)
	}
	a := decode(t, inGo)
	for _, said := range p.news {
		if decode(t, []byte(strings.TrimPrefix(said, "key ")))["push"] != nil {
			p.pushes++
		}
	}
	for _, w := range p.twins {
		inLua, news, err := w.run(now, report)
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		b := decode(t, inLua)
		if _, ok := b["ws"]; !ok && a["ws"] != nil {
			b["ws"] = map[string]any{}
		}
		if (a["stale"] != true || b["stale"] != true) && !reflect.DeepEqual(a, b) {
			t.Fatalf("report %s\nledger %s\nscript in %s %s", report, inGo, w.name, inLua)
		}
		if !p.heard(t, news) {
			t.Fatalf("report %s\nledger tells %q\nscript in %s tells %q", report, p.news, w.name, news)
		}
	}
	return a
}

// heard reports whether the ledger tells the same news.
func (p *pair) heard(t testing.TB, news []string) bool {
	t.Helper()
	if len(news) != len(p.news) {
		return false
	}
	for i, said := range news {
		a, b := decode(t, []byte(strings.TrimPrefix(p.news[i], "key "))), decode(t, []byte(strings.TrimPrefix(said, "key ")))
		maps.DeleteFunc(b, func(_ string, v any) bool { return v == 0.0 }) // Go leaves it out
		if !reflect.DeepEqual(a, b) {
			return false
		}
	}
	return true
}

func decode(t testing.TB, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return m
}
