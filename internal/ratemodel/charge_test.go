package ratemodel_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

func TestCharging(t *testing.T) {
	t.Parallel()
	start := time.Unix(600, 0)
	request := ratemodel.Cost{Prompt: 10, Output: 20, MaxOutput: 50}
	for _, c := range []struct {
		charging               ratemodel.Charging
		need, during, finished float64
	}{
		{ratemodel.ChargeEnd, 0, 0, 30},
		{ratemodel.ChargeRefund, 60, 60, 30},
		{ratemodel.ChargeKeep, 60, 60, 60},
		{ratemodel.ChargeLive, 10, 10, 30},
	} {
		s := ratemodel.Charger{Pool: ratemodel.NewFixedPool(100, time.Minute), Charging: c.charging}
		assert.InDelta(t, c.need, s.Need(request), 1e-9)
		assert.True(t, s.Admit(start, request))
		assert.InDelta(t, 100-c.during, s.Pool.Level(start), 1e-9)
		s.Settle(start.Add(time.Second), request)
		assert.InDelta(t, 100-c.finished, s.Pool.Level(start.Add(time.Second)), 1e-9)
		assert.InDelta(t, c.finished, s.Charged(request), 1e-9)
		s.Factor = 1.5
		assert.InDelta(t, 1.5*c.need, s.Need(request), 1e-9)
	}
}

func TestPoolsFillAgain(t *testing.T) {
	t.Parallel()
	start := time.Unix(600, 0)
	for _, c := range []struct {
		name       string
		pool       ratemodel.Pool
		wait, full time.Duration // for half of it, once 120 of 100 were charged
		after      float64       // 45 seconds
	}{
		{"refilling", ratemodel.NewRefillingPool(100, time.Minute), 42 * time.Second, 72 * time.Second, 55},
		{"fixed", ratemodel.NewFixedPool(100, time.Minute), time.Minute, time.Minute, -20},
		{"rolling", ratemodel.NewRollingPool(100, time.Minute), time.Minute, time.Minute, -20},
	} {
		assert.InDelta(t, 100, c.pool.Level(start), 1e-9, c.name)
		assert.Zero(t, c.pool.Wait(start, 100), c.name)
		c.pool.Charge(start, 120)
		assert.InDelta(t, -20, c.pool.Level(start), 1e-9, "%s is in debt", c.name)
		assert.InDelta(t, c.wait.Seconds(), c.pool.Wait(start, 50).Seconds(), 1e-6, c.name)
		assert.InDelta(t, c.full.Seconds(), c.pool.Full(start).Seconds(), 1e-6, c.name)
		assert.InDelta(t, c.after, c.pool.Level(start.Add(45*time.Second)), 1e-9, c.name)
		assert.InDelta(t, 100, c.pool.Level(start.Add(72*time.Second)), 1e-9, c.name)
		c.pool.Charge(start.Add(80*time.Second), -40)
		assert.InDelta(t, 100, c.pool.Level(start.Add(80*time.Second)), 1e-9, "%s never holds more than its limit", c.name)
		assert.InDelta(t, 100, c.pool.Limit(), 0)
	}
}

func TestRollingPoolGivesBackInTurn(t *testing.T) {
	t.Parallel()
	start := time.Unix(600, 0)
	p := ratemodel.NewRollingPool(100, time.Minute)
	p.Charge(start, 60)
	p.Charge(start.Add(10*time.Second), 40)
	now := start.Add(20 * time.Second)
	assert.Equal(t, 40*time.Second, p.Wait(now, 60))
	assert.Equal(t, 50*time.Second, p.Wait(now, 61))
	assert.InDelta(t, 60, p.Level(start.Add(time.Minute)), 1e-9)
}
