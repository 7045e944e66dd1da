package level

// sparseRatio is the least that a byte of a prompt costs, in tokens, until it was seen: few texts have
// tokens of more than eight bytes on average.
const sparseRatio = 1. / 8

// tooLarge reports whether the prompt of a request alone surely costs more than the limit. The
// server refuses such a request at once, whatever remains, and charges nothing: there is nothing to
// wait for, and nothing to hold.
func (l *Limiter) tooLarge(d Demand) bool {
	ratio := sparseRatio
	if l.ratios.n >= 8 {
		ratio = l.ratios.quantile(0) * 3 / 4
	}
	return !d.Known && l.told && d.Prompt*ratio > l.limit
}
