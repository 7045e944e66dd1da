package header

// Reason says what a refused request ran into, and so what ends the refusal.
type Reason uint8

// The reasons of a refusal.
const (
	Unspecified Reason = iota // a limit that opens again; the response tells no more
	PeriodQuota               // the quota of a long period (a day or more), which opens again only with the next one
	TooLarge                  // the request by itself asks for more than the limit allows; no wait helps it, others may pass
	Billing                   // credit, plan or spending limit is used up; no wait helps, only payment or another plan
)

// Final reports whether no wait ends the refusal, so that sending the same
// request again is of no use.
func (r Reason) Final() bool { return r == TooLarge || r == Billing }

// String returns the reason in words.
func (r Reason) String() string {
	switch r {
	case PeriodQuota:
		return "period quota"
	case TooLarge:
		return "request too large"
	case Billing:
		return "billing"
	}
	return "unspecified"
}
