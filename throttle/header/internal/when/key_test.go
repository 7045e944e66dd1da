package when

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestKey shows which keys of JSON tell when to come back.
func TestKey(t *testing.T) {
	for key, unit := range map[string]time.Duration{
		"retry_after": 0, "retryAfterSec": time.Second, "RetryAfterMs": time.Millisecond, "backoff_seconds": time.Second,
		"reset_time": 0, "resetsAt": 0, "rateLimitNext": 0, "nextAccessTime": 0, "retry_in_minutes": time.Minute, "wait-time": 0,
		"blocked_until": 0, "cooldownSeconds": time.Second, "seconds_until_reset": time.Second, "rate_limit_reset": 0, "next_available_at": 0,
		"seconds_remaining": time.Second, "secondsLeft": time.Second, "msBeforeNext": time.Millisecond, "locked_until": 0, "lockoutSeconds": time.Second,
		"try_after": 0, "come_back_at": 0, "cool_down_seconds": time.Second, "penalty_seconds": time.Second, "delay_ms": time.Millisecond,
		"canRetryAt": 0, "allowedAfter": 0, "renewsAt": 0, "refresh_at": 0, "windowEnd": 0, "next_window": 0, "reset_ts": 0, "resetUnix": 0,
	} {
		got, ok := Key(key)
		assert.True(t, ok, key)
		assert.Equal(t, unit, got, key)
	}
	for _, key := range []string{"retries", "max_retries", "retry_count", "reset_password", "next", "next_page", "nextCursor", "wait", "backoff",
		"available", "response_time", "resource", "limit", "created_at", "blocked_users", "reset_token", "remaining", "seats_left", "seconds", "delay", "refresh", "window", "end", "end_time", "allowed", "time_remaining", "remaining_in_window", "refresh_token", "try", "", "a", strings.Repeat("retry", 20)} {
		_, ok := Key(key)
		assert.False(t, ok, key)
	}
}

// TestNestedKey shows which objects are named for the wait that their members tell.
func TestNestedKey(t *testing.T) {
	unit, ok := NestedKey("retryAfter", "seconds")
	assert.True(t, ok)
	assert.Equal(t, time.Second, unit)
	for _, names := range [][2]string{{"video", "seconds"}, {"retryAfter", "colour"}, {"retryAfter", strings.Repeat("s", 13)}, {strings.Repeat("retry", 5), "seconds"}} {
		_, ok := NestedKey(names[0], names[1])
		assert.False(t, ok, names)
	}
}
