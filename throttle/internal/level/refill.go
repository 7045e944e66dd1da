package level

import "time"

// A refill finds out whether a window fills again continuously, and how fast:
// then what is missing from the limit and the time until it is full always have
// the same ratio. A window that opens at once shows another ratio each time.
type refill struct {
	low, high   float64 // of the rate, per second
	n           int     // responses that agree
	least, most float64 // what was missing
	bucket      bool
	rate        float64 // per second, 0 unless it is a bucket
}

// observe takes in that some amount, told to within grain, takes left to come
// back, told to within blur.
func (f *refill) observe(missing, grain float64, left, blur time.Duration) {
	if left < 50*time.Millisecond || missing < 2*grain || missing <= 0 {
		return
	}
	blur += time.Millisecond
	low := (missing - grain) / (left + blur).Seconds()
	high := (missing + grain) / max(left-blur, time.Millisecond).Seconds()
	if f.n > 0 && (low > f.high || high < f.low) {
		if least, most := min(f.low, low), max(f.high, high); most-least > 0.01*most {
			*f = refill{}
		} else { // the server's numbers are a little less exact than they look
			f.low, f.high, low, high = least, most, least, most
		}
	}
	if f.n == 0 {
		f.low, f.high, f.least, f.most = low, high, missing, missing
	}
	f.low, f.high = max(f.low, low), min(f.high, high)
	f.least, f.most = min(f.least, missing), max(f.most, missing)
	f.n++
	f.bucket = f.n >= 4 && f.high-f.low < 0.5*f.high && f.least < 0.9*f.most && f.most-f.least >= 3*grain
	f.rate = 0
	if f.bucket {
		f.rate = f.low
	}
}

// othersFor is how long others are taken to spend as they did, without news.
const othersFor = 10 * time.Second

// missing returns what a bucket lacks.
func (l *Limiter) missing(t time.Duration) float64 {
	past := t - l.at
	gone := l.others.rate * min(past, othersFor).Seconds()
	return max(0, l.limit-l.remaining-past.Seconds()*l.refill.rate+gone)
}

// fills returns when a bucket lacks no more than so much.
func (l *Limiter) fills(missing float64) time.Duration {
	lack := l.limit - l.remaining - missing
	seconds := lack / (l.refill.rate - l.others.rate)
	if seconds > othersFor.Seconds() {
		seconds = (lack + l.others.rate*othersFor.Seconds()) / l.refill.rate
	}
	return l.at + time.Duration(min(max(seconds, 0), 1e8)*float64(time.Second)) + time.Microsecond
}
