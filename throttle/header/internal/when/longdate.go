package when

import (
	"strings"
	"time"

	"github.com/forbear-go/forbear/throttle/header/internal/scan"
)

// maxDateWords is how many words may tell a date.
const maxDateWords = 8

// longMoment reads a date in words, in whatever order it has them: sun 01 mar 2026 12:10:00 gmt,
// march 1 2026 12:10 pm utc, 1st march 2026 at 12:10:00, mar 01 12:10:00 utc 2026. It needs the
// month by its name, the day, the year and the time of the day. Without a zone it is UTC, as
// a date in figures is.
func longMoment(words []string, base time.Time) (Reset, bool) {
	var month, day, year string
	var clock time.Duration
	timed, half := false, ""
	zone := time.UTC
	for i, w := range words[:min(len(words), maxDateWords)] {
		ends := strings.HasSuffix(w, ".") || strings.HasSuffix(w, ";")
		w = strings.Trim(w, ".!;:)]}[")
		switch {
		case month == "" && len(w) >= 3 && monthNames[w[:3]] != "" && strings.HasPrefix(monthNames[w[:3]], w):
			month = w[:3]
		case year == "" && len(w) == 4 && scan.IsDigit(w[0]) && strings.Trim(w, "0123456789") == "":
			year = w
		case day == "" && isDay(w):
			day = strings.TrimRight(w, "stndrh")
		case !timed && isClock(w, &clock) && scan.IsDigit(w[0]):
			timed = true
		case timed && (w == "am" || w == "pm"):
			half = w
		case i == 0 && isWeekday(w), w == "at", w == "of", w == "the":
		default:
			if loc := zoneOf(w); timed && loc != nil {
				zone = loc
			}
			ends = ends || !timed || zone == time.UTC && year != ""
		}
		if ends {
			break
		}
	}
	if month == "" || day == "" || year == "" || !timed {
		return Reset{}, false
	}
	hour := hourOf(int(clock/time.Hour), half)
	date, err := time.ParseInLocation("Jan 2 2006", month+" "+day+" "+year, zone)
	if err != nil {
		return Reset{}, false
	}
	t := time.Date(date.Year(), date.Month(), date.Day(), hour, int(clock/time.Minute)%60, int(clock/time.Second)%60, 0, zone)
	if t.Unix() <= 0 || t.Sub(base) > MaxDelta*time.Second {
		return Reset{}, false
	}
	return Reset{At: t.UTC(), Resolution: time.Second}, true
}

// hourOf is the hour of the day, of one that may be of half a day: 12 am, 1 pm.
func hourOf(hour int, half string) int {
	switch {
	case half == "pm" && hour < 12:
		return hour + 12
	case half == "am" && hour == 12:
		return 0
	}
	return hour
}

// monthNames are the names of the months by their first three letters.
var monthNames = map[string]string{
	"jan": "january", "feb": "february", "mar": "march", "apr": "april", "may": "may", "jun": "june", "jul": "july", "aug": "august",
	"sep": "september", "oct": "october", "nov": "november", "dec": "december",
}

// isDay reports whether a word is the day of a month: 1, 01, 1st.
func isDay(w string) bool {
	figures := strings.TrimRight(w, "stndrh")
	if figures == "" || len(figures) > 2 || strings.Trim(figures, "0123456789") != "" {
		return false
	}
	switch w[len(figures):] {
	case "", "st", "nd", "rd", "th":
		return true
	}
	return false
}

// isWeekday reports whether a word is the name of a day of the week.
func isWeekday(w string) bool {
	for _, day := range [...]string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		if len(w) >= 3 && strings.HasPrefix(day, w) {
			return true
		}
	}
	return false
}
