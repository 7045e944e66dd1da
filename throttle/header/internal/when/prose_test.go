package when

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// noon is when the responses came in.
var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// TestInProse shows the sentences of which the time to come back can be taken.
func TestInProse(t *testing.T) {
	const none = -1
	for text, want := range map[string]time.Duration{
		"Retry after 2026-03-01T12:00:09.5Z":                                  9500 * time.Millisecond,
		"Retry after 2026-03-01 12:01:00 UTC: see the documentation":          time.Minute,
		"banned until 1772366460000. Please use WebSockets.":                  time.Minute,
		"blocked until 1772366430":                                            30 * time.Second,
		"Your limit resets in ~30s.":                                          30 * time.Second,
		"Limit reset in 45 seconds":                                           45 * time.Second,
		"suspended for 30 s":                                                  30 * time.Second,
		"try again after an hour":                                             time.Hour,
		"please try again in a minute.":                                       time.Minute,
		"Try again in 1 hour 20 minutes.":                                     80 * time.Minute,
		"Please try again in 2 minutes and 5 seconds":                         125 * time.Second,
		"Please wait about 10 seconds before trying again":                    10 * time.Second,
		"retry_after=7":                                                       7 * time.Second,
		"Retry-After: 12":                                                     12 * time.Second,
		"try again in a few seconds":                                          time.Second,
		"Please wait for 1.5 minutes":                                         90 * time.Second,
		"Bitte versuchen Sie es in 20 Sekunden erneut. Erneut in 20 Sekunden": 20 * time.Second,
		"Rate limited. Available at 2026-03-01T12:00:20Z":                     20 * time.Second,
		"Cooldown: 8 seconds":                                                 8 * time.Second,

		"some upstream error retry-after-ms=12345":    12345 * time.Millisecond,
		"429, retry-after-ms: 7000":                   7 * time.Second,
		"retry_after_seconds=9, scope=user":           9 * time.Second,
		"You can make another request in 45 seconds.": 45 * time.Second,
		"Next allowed request: 2026-03-01T12:00:30Z":  30 * time.Second,
		"Rate limited for 30 more seconds":            30 * time.Second,
		"Too many requests. 42 seconds remaining.":    42 * time.Second,
		"Bitte 30 Sekunden warten":                    30 * time.Second,
		"Trop de requêtes. Réessaie dans une minute.": time.Minute,
		"Versuchen Sie es in einer Stunde erneut":     time.Hour,
		"Inténtelo de nuevo en un minuto":             time.Minute,
		"Disponible de nuevo en ~45 min.":             45 * time.Minute,
		"Disponible en una sola talla":                none,
		"Espera 30 segundos":                          30 * time.Second,
		"30秒後にもう一度お試しください":                            30 * time.Second, //nolint:gosmopolitan // servers write in their own language
		"請等待30秒":                                      30 * time.Second, //nolint:gosmopolitan // the same
		"5 requests remaining":                        none,
		"You have 3 left":                             none,
		"FLOOD_WAIT_30":                               30 * time.Second,
		"Retry after two minutes":                     2 * time.Minute,
		"try again in the next minute":                time.Minute,
		"Please try again in half an hour.":           30 * time.Minute,
		"limit exceeded, reset in 30":                 30 * time.Second,
		"retry in 30 of 40 slots":                     none,
		"Limited. 30s left":                           30 * time.Second,
		"Time remaining: 30 seconds":                  30 * time.Second,
		"Please hold off for 30 seconds":              30 * time.Second,
		"Please pause for 30 seconds":                 30 * time.Second,
		"Access will be restored in 30 seconds":       30 * time.Second,
		"quota refreshes in 30 seconds":               30 * time.Second,
		"Wait 30 seconds before the next call":        30 * time.Second,
		"A minimum delay of 30 seconds is required":   30 * time.Second,
		"We allow 100 requests in 60 seconds":         none,

		"resets at Mar 1, 2026 12:00:30 UTC":        30 * time.Second,
		"resets on March 1st, 2026 at 12:10 PM UTC": 10 * time.Minute,
		"resets on 1 March 2026 12:00:30":           30 * time.Second,
		"resets Sun Mar 01 12:00:30 UTC 2026":       30 * time.Second,
		"resets at 2026/03/01 12:00:30 UTC":         30 * time.Second,
		"resets on March 1, 2026 at 7:10 AM EST.":   10 * time.Minute,
		"resets at 12:10 AM on March 2, 2026":       12*time.Hour + 10*time.Minute,
		"resets on March 2, 2026":                   none,
		"resets in March 2026":                      none,
		"resets on Feb 30, 2026 12:00:30 UTC":       none,
		"resets on May 1, 2999 12:00:30 UTC":        none,
		"Nächster Versuch in 30 Sekunden möglich":   30 * time.Second,
		"Trop de requêtes. Attendez 30 secondes":    30 * time.Second,
		"Vuelva a intentarlo en 30 segundos":        30 * time.Second,
		"Lütfen 30 saniye bekleyin":                 30 * time.Second,
		"Försök igen om 30 sekunder":                30 * time.Second,
		"Prøv igen om 2 minutter":                   2 * time.Minute,
		"Yritä uudelleen 30 sekunnin kuluttua":      30 * time.Second,
		"Zkuste to znovu za 30 sekund":              30 * time.Second,
		"Vui lòng thử lại sau 30 giây":              30 * time.Second,
		"Silakan coba lagi dalam 2 menit":           2 * time.Minute,
		"Please wait 12":                            12 * time.Second,

		"retry-after-ms=soon":        none,
		"wait-ms":                    none,
		"FLOOD_WAIT_X":               none,
		"Please wait 12 of 20 slots": none,
		"Retry after 2 attempts":     none,
		"Try again later":            none,
		"Limit of 100 per 60 seconds. Please retry later.": none,
		"You may send 5 requests every 10 seconds":         none,
		"retry in the year 9999":                           none,
		"until 99999999999999999999":                       none,
		"retry after 2999-01-01T00:00:00Z":                 none,
		"Please wait.":                                     none,
		"retry":                                            none,
		"":                                                 none,
	} {
		got, ok := InProse(text, noon)
		if want == none {
			assert.False(t, ok, "%s: %v", text, got)
			continue
		}
		assert.True(t, ok, text)
		assert.Equal(t, want, got.Delay(noon), text)
	}
}

// FuzzProse reads any text as a sentence about waiting.
func FuzzProse(f *testing.F) {
	for _, s := range []string{"Try again in 2 seconds", "until 2026-03-01 12:00:00 UTC", "a few minutes", "retry after", "PT1H", "Rate limit exceeded.",
		"banned until 1772366460000.", "Limit 1, Requested 2", "été '\"` . wait 5 h 6 m", "resets on March 1st, 2026 at 12:10 PM EST",
		"try again in half an hour", "retry after two minutes", "30s left", "Försök igen om 2 minuter"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := InProse(s, noon)
		if ok && (!got.Known() || got.Delay(noon) < 0) {
			t.Fatalf("%q: %v", s, got)
		}
		Key(s)
	})
}
