package upload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A source is the caller's body. It yields random pieces, after random pauses.
type source struct {
	random  *rand.Rand
	content []byte
	slow    bool
	fails   error // at the end, instead of io.EOF

	mu      sync.Mutex
	next    int
	busy    atomic.Bool
	clashed atomic.Bool // two reads at the same time, or one after Close
	closes  atomic.Int32
}

func (s *source) Read(p []byte) (int, error) {
	if s.busy.Swap(true) || s.closes.Load() > 0 {
		s.clashed.Store(true)
	}
	defer s.busy.Store(false)
	if s.slow {
		time.Sleep(time.Duration(s.random.IntN(10)) * time.Millisecond)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := copy(p[:min(len(p), s.random.IntN(3000))], s.content[s.next:])
	s.next += n
	if s.next < len(s.content) || s.random.IntN(2) == 0 && n > 0 {
		return n, nil
	}
	if s.fails != nil {
		return n, s.fails
	}
	return n, io.EOF
}

func (s *source) Close() error {
	s.closes.Add(1)
	return nil
}

// An attempt reads what it can, in random portions.
type attempt struct {
	body *Body
	got  []byte
	err  error
}

func (a *attempt) read(random *rand.Rand, most int) {
	for len(a.got) < most && a.err == nil {
		p := make([]byte, min(1+random.IntN(4000), most-len(a.got)))
		var n int
		n, a.err = a.body.Read(p)
		a.got = append(a.got, p[:n]...)
	}
}

// Whoever reads how much in which order, each attempt reads the body from its beginning, and the last
// one to its end, although the attempts before go on reading and close late.
func TestAttemptsReadTheWholeBody(t *testing.T) {
	whole, refused := 0, 0
	for seed := range uint64(400) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			s := &source{random: rand.New(rand.NewPCG(seed, 2)), slow: random.IntN(2) == 0}
			s.content = make([]byte, random.IntN(20_000))
			for i := range s.content {
				s.content[i] = byte(random.Uint32())
			}
			limit := 1 + random.IntN(25_000)
			length := []int64{-1, 0, int64(len(s.content)), int64(random.IntN(30_000))}[random.IntN(4)]
			var r Recording
			last := &attempt{body: r.Start(t.Context(), s, length, limit)}
			var others sync.WaitGroup
			var stale []*attempt
			for range random.IntN(5) {
				last.read(random, random.IntN(len(s.content)+1))
				a, own := last, rand.New(rand.NewPCG(seed, random.Uint64()))
				others.Go(func() { // as net/http does with a body whose response has come
					a.read(own, len(a.got)+own.IntN(10_000))
					time.Sleep(time.Duration(own.IntN(30)) * time.Millisecond)
					assert.NoError(t, a.body.Close())
				})
				time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
				if !r.Pause() {
					refused++
					r.End(true)
					others.Wait()
					last = nil
					break
				}
				time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
				stale = append(stale, last)
				last = &attempt{body: r.Again()}
			}
			if last != nil {
				if random.IntN(2) == 0 {
					r.End(true) // answered before it is sent
				}
				last.read(random, 1<<30)
				assert.ErrorIs(t, last.err, io.EOF)
				assert.True(t, bytes.Equal(s.content, last.got), "seed %d: %d of %d bytes", seed, len(last.got), len(s.content))
				assert.NoError(t, last.body.Close())
				r.End(true)
				whole++
			}
			others.Wait()
			for _, a := range stale {
				assert.True(t, bytes.HasPrefix(s.content, a.got), "seed %d: an earlier attempt", seed)
			}
			assert.LessOrEqual(t, cap(r.kept), limit)
			assert.False(t, s.clashed.Load(), "seed %d: reads clash", seed)
			assert.EqualValues(t, 1, s.closes.Load(), "seed %d: times closed", seed)
		})
	}
	assert.Greater(t, whole, 150)
	assert.Greater(t, refused, 50)
}

// start begins a recording of a text in a bubble.
func start(ctx context.Context, text string, limit int) (*Recording, *source, *Body) {
	s := &source{random: rand.New(rand.NewPCG(1, 2)), content: []byte(text)}
	r := new(Recording)
	return r, s, r.Start(ctx, s, -1, limit)
}

// A body as long as the limit can be sent again, and one that is a byte longer is streamed once: nothing
// of it stays in memory.
func TestLimit(t *testing.T) {
	for limit, again := range map[int]bool{3: false, 4: true, 5: true} {
		r, s, b := start(t.Context(), "text", limit)
		got, err := io.ReadAll(b)
		require.NoError(t, err)
		require.Equal(t, "text", string(got))
		require.Equal(t, again, r.Pause(), limit)
		require.Equal(t, again, r.kept != nil, limit)
		require.NoError(t, b.Close())
		require.EqualValues(t, 1, s.closes.Load(), "it is not needed any more")
		if again {
			got, err = io.ReadAll(r.Again())
			require.NoError(t, err)
			require.Equal(t, "text", string(got))
		}
		r.End(false)
		require.Nil(t, r.kept)
		require.EqualValues(t, 1, s.closes.Load())
	}
}

// After the end, what is kept goes as soon as the current attempt has read it.
func TestEndFrees(t *testing.T) {
	r, s, b := start(t.Context(), "a longer text", 100)
	_, err := io.CopyN(io.Discard, b, 5)
	require.NoError(t, err)
	require.True(t, r.Pause())
	b = r.Again()
	r.End(true)
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	require.Equal(t, "a longer text", string(got))
	require.Nil(t, r.kept)
	require.Zero(t, s.closes.Load(), "the attempt is not over")
	require.NoError(t, b.Close())
	require.EqualValues(t, 1, s.closes.Load())
}

// A paused attempt reads on as long as that can be kept, and then waits.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, b := start(t.Context(), "a longer text", 8)
		a := &attempt{body: b}
		a.read(rand.New(rand.NewPCG(1, 2)), 3)
		require.True(t, r.Pause())
		go a.read(rand.New(rand.NewPCG(3, 4)), 1<<30)
		synctest.Wait()
		require.Equal(t, "a longer", string(a.got))
		require.True(t, r.Pause())
		r.Resume()
		synctest.Wait()
		require.Equal(t, "a longer text", string(a.got))
		require.False(t, r.Pause())
		r.End(false)
	})
}

// An attempt whose retry is not made reads no more: nobody gets its response.
func TestEndOfPause(t *testing.T) {
	r, s, b := start(t.Context(), "text", 100)
	require.True(t, r.Pause())
	r.End(true)
	_, err := b.Read(make([]byte, 10))
	require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
	require.EqualValues(t, 1, s.closes.Load())
}

// What an attempt was reading when it ended is not lost: the next one waits for it.
func TestLateRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		var r Recording
		first := r.Start(t.Context(), from, -1, 100)
		go func() { _, _ = first.Read(make([]byte, 10)) }()
		synctest.Wait()
		require.NoError(t, first.Close())
		require.True(t, r.Pause())
		second := &attempt{body: r.Again()}
		go second.read(rand.New(rand.NewPCG(1, 2)), 1<<30)
		synctest.Wait()
		_, err := io.WriteString(to, "text")
		require.NoError(t, err)
		require.NoError(t, to.Close())
		synctest.Wait()
		require.Equal(t, "text", string(second.got))
		require.ErrorIs(t, second.err, io.EOF)
		require.NoError(t, second.body.Close())
		r.End(true)
	})
}

// A read that hangs ends with the context, and so does one that waits for it.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		from, _ := io.Pipe()
		var r Recording
		errs := make(chan error, 2)
		read := func(b *Body) { _, err := b.Read(make([]byte, 10)); errs <- err }
		go read(r.Start(ctx, from, -1, 100))
		synctest.Wait()
		require.True(t, r.Pause())
		go read(r.Again())
		synctest.Wait()
		require.Empty(t, errs)
		cancel()
		synctest.Wait()
		require.Len(t, errs, 2)
		require.Error(t, <-errs)
		require.Error(t, <-errs)
		require.False(t, r.Pause())
		r.End(false)
	})
}

// A body that fails, or panics, is not sent again, and the error stays.
func TestBadSource(t *testing.T) {
	gone := errors.New("gone")
	r, s, b := start(t.Context(), "text", 100)
	s.fails = gone
	for range 2 {
		_, err := io.ReadAll(b)
		require.ErrorIs(t, err, gone)
	}
	require.False(t, r.Pause())
	r.End(false)

	r, s, b = start(t.Context(), "text", 100)
	s.random = nil
	require.Panics(t, func() { _, _ = b.Read(make([]byte, 10)) })
	_, err := b.Read(make([]byte, 10))
	require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
	require.False(t, r.Pause())
	r.End(false)
	require.EqualValues(t, 1, s.closes.Load())
}
