package refusals

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A doubt asks whether what refusals taught is true. A limit that is kept to refuses
// hardly anything; a server that sheds load refuses as often at any rate, and after any
// number of requests. So refusals that go on, as dense as before, although less and less
// is sent, are no limit's.
type doubt struct {
	falls         int          // refusals in a row after which less was sent
	top           float64      // the highest rate after the first of them
	least, recent float64      // requests admitted before a refusal, smoothed
	drops         int          // how often it was less than half of that
	patience      int          // how often it was raised in vain
	pace          inferredRate // what it was raised about,
	span          inferredWindow
	raised        bool // until the server proves it right or wrong
	verdict       verdict
	mark          int64 // the last request that would have gone at the pace, too
	strange       int   // how often in a row the count of a span was refused below its limit
	belows        int   // how often it was at all
	spent         int64 // there, the last time
	hints         int   // that the server sheds load elsewhere, since it was raised
}

const (
	doubtFalls  = 12   // refusals that raise it, twice as many after each time in vain
	doubtBelow  = 0.85 // of the highest rate, at most, is sent by then
	doubtMore   = 1.4  // requests between refusals have to grow by this
	doubtSmooth = 4
	doubtGrows  = 2  // for each refusal, requests before the next are more than so many
	doubtSunk   = 3  // and so many where the rate fell to
	doubtFar    = 3  // this part of what it was
	doubtDense  = 40 // of these, or fewer, as of a rate that is about right there are more
	doubtOver   = 8  // times as many without a refusal
	doubtTries  = 3  // times the rate is tried, to see,
	doubtRate   = 5  // or so many a second
	doubtFew    = 2  // so many are enough where hardly more were admitted before each
	doubtSoon   = 4  // so many are enough where
	doubtUneven = 3  // or so many where
	doubtBelows = 3  // refusals of a span below its limit show that there is none
	doubtDrops  = 1  // so many came after less than half as many requests as the one before
)

// fell takes in that a rate was lowered, after so many requests had been admitted. It
// reports whether lowering it seems to be in vain.
func (d *doubt) fell(now float64, admitted int64, calm bool) bool {
	if calm || d.falls == 0 {
		*d = doubt{patience: d.patience, hints: d.hints, top: now, recent: float64(admitted), least: float64(admitted)}
	}
	d.falls++
	d.top = max(d.top, now)
	d.drop(admitted)
	d.least = max(min(d.least, d.recent), 1)
	patience := min(d.patience, 6)
	if d.falls >= doubtFew<<patience && d.recent < float64(doubtFew) {
		return true // next to nothing is admitted, however little is sent
	}
	if d.falls >= doubtSoon<<patience && d.recent < float64(doubtGrows*d.falls>>patience) {
		return true // with each, twice as many should be admitted
	}
	uneven := d.falls >= doubtUneven<<patience && d.drops >= doubtDrops<<patience
	if d.recent < doubtDense && (uneven || d.falls >= doubtSoon<<patience && d.recent < doubtMore*d.least) {
		return true // as by chance, after many as well as after few
	}
	if float64(admitted) <= min(d.recent, doubtDense) && d.falls >= doubtSunk<<patience && doubtFar*now < d.top {
		return true // a measured rate is not that far off
	}
	return d.falls >= doubtFalls<<patience && now < doubtBelow*d.top && d.recent < doubtMore*d.least
}

// hint takes in that the server sheds load elsewhere. It reports whether it is time to see whether what was
// learned is more than that: the first hint says so, and after each time in vain it takes four times as many. l may be nil.
func (l *limits) hint() bool {
	if l == nil || !l.known() || l.doubt.raised || l.event.under && l.event.told || l.span.limit > 0 && l.span.proof.given {
		return false
	}
	l.doubt.hints++
	return l.doubt.hints >= 1<<min(2*l.doubt.patience, 12)
}

// send counts n more as sent, up to the given number.
func (d *doubt) send(now clock.Instant, number, n int64) {
	if p := &d.pace; d.raised && p.rate > 0 {
		if now >= p.next {
			d.mark = number
		}
		p.next = max(p.next, now) + clock.Times(p.step(), n)
	}
}

// drop takes in how many requests were admitted before a refusal.
func (d *doubt) drop(admitted int64) {
	if 2*float64(admitted) < d.recent {
		d.drops++
	}
	d.recent += (float64(admitted) - d.recent) / doubtSmooth
}

// over reports whether refusals that were dense have stopped, as so many requests were
// admitted since.
func (d *doubt) over(admitted int64) bool {
	return d.falls > 0 && d.recent < doubtDense && float64(admitted) > doubtOver*max(d.recent, 1)
}

// strayed takes in that a window was measured that is not the one measured before, after
// so many requests had been admitted. It reports whether there seems to be none.
func (d *doubt) strayed(admitted int64) bool {
	d.falls++
	d.drop(admitted)
	patience := min(d.patience, 6)
	return d.falls >= doubtSoon<<patience && d.drops >= doubtDrops<<patience
}

// below takes in that a span was refused after so many, which is less than its limit. It
// reports whether it is known by now that there is a limit at that number, and whether
// that there is none at all.
func (d *doubt) below(spent int64) (limit, none bool) {
	if d.belows++; d.belows >= doubtBelows<<min(d.patience, 6) {
		return false, true
	}
	was := d.spent
	d.strange, d.spent = d.strange+1, spent
	if d.strange < 2 {
		return false, false
	}
	if 4*min(spent, was) >= 3*max(spent, was) {
		return true, false
	}
	return false, true
}
