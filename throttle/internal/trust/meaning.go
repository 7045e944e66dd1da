package trust

import "github.com/forbear-go/forbear/throttle/internal/clock"

// A Meaning notices that what a server calls remaining is something else: how many requests were used, or
// the share that remains in percent.
type Meaning struct {
	limit, told int64 // of the newest response
	number      int64 // of its request
	known       bool
	used        used
	percent     percent
}

// Observe takes in that the response to the request with this number, sent then and answered now, tells that so many
// of a limit remain, and returns how many do.
func (m *Meaning) Observe(sent, now clock.Instant, number, limit, told int64, refused bool) (remaining int64) {
	switch {
	case m.known && limit != m.limit:
		*m = Meaning{}
		m.percent.begin(number)
	case !m.known:
		m.percent.begin(number)
	case number <= m.number: // it was overtaken
		return m.mean(number, limit, told)
	default:
		m.percent.observe(m.told, told, number, limit)
	}
	m.used.observe(sent, now, number, limit, told, refused)
	m.known, m.limit, m.told, m.number = true, limit, told, number
	return m.mean(number, limit, told)
}

// Rises reports whether more is said to remain with each request.
func (m *Meaning) Rises() bool { return m.used.fits() }

// Of returns how many remain where the newest response tells so many.
func (m *Meaning) Of(told int64) int64 { return m.mean(m.number, m.limit, told) }

func (m *Meaning) mean(number, limit, told int64) int64 {
	switch {
	case m.used.is:
		return max(limit-told, 0)
	case m.percent.is():
		return m.percent.mean(number, limit, told)
	}
	return told
}

// A used notices that what is said to remain rises with each request, until the window opens, or is the limit where one
// is refused.
type used struct {
	is          bool
	rises       int // in a row,
	risen, sent int64
	falls       int // in a row, by what was sent

	number, told int64         // of the last response that counts; 0 if there was none
	heard        clock.Instant // when that came
}

const (
	usedRises = 8
	usedFalls = 16 // show that it was an error
)

// observe takes in a response. It does not count if its request was sent before the last one came that does: of
// requests that are under way together no number tells which the server counted first.
func (u *used) observe(at, now clock.Instant, number, limit, told int64, refused bool) {
	if u.number > 0 && at < u.heard {
		return
	}
	if u.number > 0 {
		u.compare(number-u.number, told, told-u.told, limit-told, refused)
	}
	u.number, u.told, u.heard = number, told, now
}

// compare takes in that so many requests were sent from one response to another, of which the second tells so much,
// more than the first by so much, and less than the limit.
func (u *used) compare(sent, told, more, less int64, refused bool) {
	switch {
	case refused:
		u.is = (u.is || less == 0 && u.fits()) && told > 0
	case more > 0:
		u.rises, u.risen, u.sent, u.falls = u.rises+1, u.risen+more, u.sent+sent, 0
	case more == 0:
		u.sent += sent
	case -more <= 2*sent:
		u.rises, u.risen, u.sent = 0, 0, 0
		if u.falls++; u.falls >= usedFalls {
			u.is = false
		}
	default: // the window opened
		u.is = u.is || u.fits() && told <= 2*sent
		u.rises, u.risen, u.sent, u.falls = 0, 0, 0, 0
	}
}

// fits reports whether what is said to remain rose by as much as was sent.
func (u *used) fits() bool {
	return u.rises >= usedRises && 4*u.risen >= 3*u.sent && 3*u.risen <= 4*u.sent
}

// A percent notices that what is said to remain is never more than a hundred, returns to that whenever the window opens,
// and falls by one where a hundredth of the limit was sent.
type percent struct {
	over   bool  // it was more
	opened int   // windows in a row of which it was true
	first  int64 // the number of the request whose response was the first of the window, or that told as much as the newest
	step   int64
	fell   int64 // since the window opened
}

const (
	percentAll     = 100
	percentFull    = 98 // what an open window tells at least
	percentFell    = 10 // by so much it falls in a window that tells something
	percentOpened  = 2
	percentLimit   = 2 * percentAll
	percentHardly  = 3 // a part of the limit may be wrong by one part of so many
	percentRounded = 1 // by so much it may be more than remains
)

func (p *percent) is() bool { return !p.over && p.opened >= percentOpened }

// observe takes in that the response to the request with this number told so much after another one.
func (p *percent) observe(was, told, number, limit int64) {
	switch {
	case limit < percentLimit, told > percentAll:
		p.over = true
	case p.over:
	case told > was:
		p.open(told, number, limit)
	case told < was:
		p.fell += was - told
		p.step = number
	}
}

// open takes in that more remains.
func (p *percent) open(told, number, limit int64) {
	sent := percentAll * (number - p.first)
	switch fits := percentHardly*sent <= (percentHardly+1)*p.fell*limit && (percentHardly+1)*sent >= percentHardly*p.fell*limit; {
	case told < percentFull:
		p.opened = 0
	case p.first > 0 && p.fell >= percentFell && fits:
		p.opened++
	case p.first > 0 && p.fell >= percentFell:
		p.opened = 0
	}
	p.begin(number)
}

// begin starts over with a window.
func (p *percent) begin(number int64) { p.first, p.step, p.fell = number, number, 0 }

// mean returns how many of a limit remain.
func (p *percent) mean(number, limit, told int64) int64 {
	if told == 0 {
		return 0
	}
	least := max(told-percentRounded, 0) * limit / percentAll
	return least + max(limit/percentAll-1-max(number-p.step, 0), 0)
}
