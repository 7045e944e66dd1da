package client_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/forbear-go/forbear/backoff"
	"github.com/forbear-go/forbear/client"
)

// diary returns the events of the requests that do makes with a transport of these answers.
func diary(t *testing.T, answers []script, do func(s *scene, send func(context.Context) outcome), opts ...client.Option) (events []client.Event) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, append(opts, client.WithObserver(func(e client.Event) {
			e.Told = slices.Clone(e.Told)
			events = append(events, e)
		}))...)
		defer s.cancel()
		p := &probe{answers: answers}
		do(s, func(ctx context.Context) outcome {
			out := roundTrip(s.rt, p.request(ctx, http.MethodGet, noBody))
			if out.resp != nil {
				require.NoError(t, out.resp.Body.Close())
			}
			return out
		})
		s.rt.Close()
	})
	return events
}

func kinds(events []client.Event) (all []client.EventKind) {
	for _, e := range events {
		all = append(all, e.Kind)
	}
	return all
}

func once(s *scene, send func(context.Context) outcome) { send(s.ctx) }

func TestEventsOfAnAnswer(t *testing.T) {
	events := diary(t, []script{announces}, func(s *scene, send func(context.Context) outcome) {
		send(s.ctx)
		send(s.ctx)
	})
	require.Equal(t, []client.EventKind{
		client.EventAdmit, client.EventAnswer, client.EventLearn, client.EventAdmit, client.EventAnswer,
	}, kinds(events), "what is not new is not learned again")
	answer, learn := events[1], events[2]
	assert.Equal(t, 1, answer.Attempt)
	assert.Equal(t, http.StatusOK, answer.Status)
	assert.NoError(t, answer.Err)
	require.Len(t, answer.Told, 1)
	assert.InDelta(t, 99, answer.Told[0].Remaining.Value, 0)
	require.Len(t, answer.Limits, 1)
	assert.Equal(t, 99, answer.Limits[0].Credit)
	assert.Equal(t, answer.Limits, learn.Limits)
	assert.Same(t, events[0].Request, answer.Request)
	assert.Len(t, answer.Key, 64)
	assert.Equal(t, answer.Key, learn.Key)
}

func TestEventsOfARefusal(t *testing.T) {
	events := diary(t, []script{refuses("7"), ok}, once)
	events = slices.DeleteFunc(events, func(e client.Event) bool { // of a wait for the rest of the hold too
		return e.Kind == client.EventLearn || e.Kind == client.EventWait
	})
	require.Equal(t, []client.EventKind{
		client.EventAdmit, client.EventRefuse, client.EventRetry, client.EventAdmit, client.EventAnswer,
	}, kinds(events), "the request waits by itself")
	refuse, retry, admit := events[1], events[2], events[3]
	assert.Equal(t, http.StatusTooManyRequests, refuse.Status)
	assert.Equal(t, 7*time.Second, refuse.Until.Sub(refuse.Time))
	assert.Equal(t, http.StatusTooManyRequests, retry.Status)
	assert.Equal(t, 1, retry.Attempt)
	assert.GreaterOrEqual(t, retry.Delay, 7*time.Second, "a refused request waits by itself")
	assert.Equal(t, retry.Time.Add(retry.Delay), retry.Until)
	assert.False(t, admit.Time.Before(refuse.Until))
	assert.Zero(t, events[0].Delay, "what did not wait has no delay")
	assert.Empty(t, events[0].Limit)
	for _, e := range events {
		assert.Same(t, refuse.Request, e.Request, "all events are about the caller's request")
	}
}

func TestEventsOfAFailure(t *testing.T) {
	events := diary(t, []script{breaksOff, unavailable, ok}, once)
	require.Equal(t, []client.EventKind{
		client.EventAdmit, client.EventAnswer, client.EventRetry,
		client.EventAdmit, client.EventAnswer, client.EventRetry,
		client.EventAdmit, client.EventAnswer,
	}, kinds(events))
	assert.ErrorIs(t, events[1].Err, errUnexpected)
	assert.ErrorIs(t, events[2].Err, errUnexpected)
	assert.Equal(t, http.StatusServiceUnavailable, events[5].Status)
	assert.Equal(t, events[5].Until, events[6].Time, "the pause ends when it was said to")
	assert.Positive(t, events[5].Delay)
}

func TestEventsOfGivingUp(t *testing.T) {
	last := func(events []client.Event) client.Event { return events[len(events)-1] }

	e := last(diary(t, []script{refuses("7200")}, once))
	assert.Equal(t, client.EventGiveUp, e.Kind)
	exhausted, isStop := errors.AsType[*backoff.StopError](e.Err)
	require.True(t, isStop)
	assert.Equal(t, backoff.StopExhausted, exhausted.Reason)
	assert.Equal(t, 2*time.Hour, e.Until.Sub(e.Time))
	assert.Equal(t, 1, e.Attempt)

	e = last(diary(t, []script{unavailable}, once))
	assert.Equal(t, client.EventGiveUp, e.Kind)
	stop, isStop := errors.AsType[*backoff.StopError](e.Err)
	require.True(t, isStop)
	assert.Equal(t, backoff.StopRetries, stop.Reason)
	assert.Equal(t, 5, e.Attempt)

	e = last(diary(t, []script{refuses("60")}, func(s *scene, send func(context.Context) outcome) {
		send(client.NoRetry(s.ctx))
		out := send(client.NoWait(s.ctx))
		require.ErrorIs(t, out.err, client.ErrNoWait)
	}))
	assert.Equal(t, client.EventGiveUp, e.Kind)
	assert.ErrorIs(t, e.Err, client.ErrNoWait)
	assert.Zero(t, e.Attempt)

	e = last(diary(t, []script{unavailable, ok}, func(s *scene, send func(context.Context) outcome) {
		time.AfterFunc(100*time.Millisecond, s.cancel)
		send(s.ctx)
	}))
	assert.Equal(t, client.EventGiveUp, e.Kind)
	assert.ErrorIs(t, e.Err, context.Canceled)
}

// What nobody would send again is not given up.
func TestNoEventOfGivingUp(t *testing.T) {
	for _, answer := range []script{answers(http.StatusNotFound), answers(http.StatusNotImplemented), fails(errOdd)} {
		events := diary(t, []script{answer}, func(s *scene, send func(context.Context) outcome) {
			send(client.NoRetry(s.ctx))
		})
		assert.Equal(t, []client.EventKind{client.EventAdmit, client.EventAnswer}, kinds(events))
	}
	events := diary(t, []script{answers(http.StatusNotImplemented)}, once)
	assert.Equal(t, []client.EventKind{client.EventAdmit, client.EventAnswer}, kinds(events))
}

// An observer may ask the transport.
func TestObserverMayAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rt *client.Transport
		asked := 0
		var err error
		rt, err = client.NewTransport(wire{}, client.WithObserver(func(e client.Event) {
			asked++
			status, err := rt.Status(e.Request)
			require.NoError(t, err)
			require.Equal(t, e.Key, status.Key)
			require.NotEmpty(t, rt.Snapshot())
		}))
		require.NoError(t, err)
		p := &probe{answers: []script{refuses("7"), announces}}
		out := roundTrip(rt, p.request(t.Context(), http.MethodGet, noBody))
		require.NoError(t, out.err)
		require.NoError(t, out.resp.Body.Close())
		require.GreaterOrEqual(t, asked, 6)
	})
}

func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		p := &probe{answers: []script{announces}}
		for _, key := range []string{"one", "two"} {
			out := roundTrip(s.rt, p.request(client.WithKey(s.ctx, key), http.MethodGet, noBody))
			require.NoError(t, out.err)
			require.NoError(t, out.resp.Body.Close())
		}
		all := s.rt.Snapshot()
		require.Len(t, all, 2)
		assert.Less(t, all[0].Key, all[1].Key)
		for _, status := range all {
			require.Len(t, status.Windows, 1)
			assert.Equal(t, 99, status.Windows[0].Credit)
			assert.Zero(t, status.Waiting)
			assert.False(t, status.Start.After(time.Now()))
		}

		refused := &probe{answers: []script{refuses("60"), ok}}
		done := make(chan outcome)
		go func() { done <- roundTrip(s.rt, refused.request(client.WithKey(s.ctx, "one"), http.MethodGet, noBody)) }()
		synctest.Wait()
		waits := make(chan outcome)
		other := &probe{answers: []script{ok}}
		go func() { waits <- roundTrip(s.rt, other.request(client.WithKey(s.ctx, "one"), http.MethodGet, noBody)) }()
		synctest.Wait()
		req := p.request(client.WithKey(s.ctx, "one"), http.MethodGet, noBody)
		status, err := s.rt.Status(req)
		require.NoError(t, err)
		assert.Equal(t, 1, status.Waiting)
		assert.Equal(t, 1, status.Ahead)
		assert.GreaterOrEqual(t, time.Until(status.Start), time.Minute)
		i := slices.IndexFunc(s.rt.Snapshot(), func(other client.Status) bool { return other.Key == status.Key })
		assert.Equal(t, 1, s.rt.Snapshot()[i].Waiting)
		assert.GreaterOrEqual(t, time.Until(s.rt.Snapshot()[i].Start), time.Minute)
		for _, over := range []chan outcome{done, waits} {
			out := <-over
			require.NoError(t, out.err)
			require.NoError(t, out.resp.Body.Close())
		}
		s.cancel()
		s.rt.Close()
	})
}
