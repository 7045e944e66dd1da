package queue

// A Priority orders requests that wait for the same limit: a higher priority goes first, except that
// lower ones keep the share that [WithMinimumShare] sets.
type Priority int8

// The priorities. Any other value is an error.
const (
	Lowest  Priority = -2
	Low     Priority = -1
	Normal  Priority = 0
	High    Priority = 1
	Highest Priority = 2
)

const levels = int(Highest-Lowest) + 1

// level returns the index of r's priority in arrays by priority.
func (r *Request) level() int8 { return int8(r.Priority - Lowest) }
