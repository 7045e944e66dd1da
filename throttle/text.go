package throttle

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// String describes the limit in a few words, such as "minute: 12 of 60 left until
// 15:04:05".
func (w WindowStatus) String() string {
	name := cmp.Or(w.Name, "limit")
	if w.Limit < 0 && w.Rate > 0 {
		return fmt.Sprintf("%s: %.3g a second", name, w.Rate)
	}
	text := fmt.Sprintf("%s: %d of %d left", name, w.Credit, w.Limit)
	if w.Remaining > w.Credit {
		text = fmt.Sprintf("%s: %d of %d left, %d of them ours", name, w.Remaining, w.Limit, w.Credit)
	}
	if w.Limit < 0 {
		text = fmt.Sprintf("%s: %d left", name, w.Credit)
	}
	if !w.Latest.IsZero() {
		text += " until " + w.Latest.Format(time.TimeOnly)
	}
	return text
}

// String describes the status in one line.
func (s Status) String() string {
	var parts []string
	for _, w := range s.Windows {
		parts = append(parts, w.String())
	}
	if len(parts) == 0 {
		parts = append(parts, "no limit known")
	}
	if !s.Hold.IsZero() {
		parts = append(parts, "refused until "+s.Hold.Format(time.TimeOnly))
	}
	if s.InFlight > 0 {
		parts = append(parts, fmt.Sprintf("%d under way", s.InFlight))
	}
	return strings.Join(parts, ", ")
}
