package limit

// A slot holds requests of nearly the same time.
type slot struct {
	from, to int64
	cost     int32 // of the requests that are left in it
}

// An eventLog holds requests in order of time. Requests that are close together share a slot, as if all had
// the time of the last. Times are nanoseconds since some base.
type eventLog struct {
	slots []slot
	gone  int32 // slots at the front that were removed
	empty int32 // slots behind them that are empty
}

// live returns the slots that were not removed. The first is not empty.
func (t *eventLog) live() []slot { return t.slots[t.gone:] }

// add appends a request. It shares the slot of the last request if that is at most grain away.
func (t *eventLog) add(now, grain int64, cost int32) {
	if last := len(t.slots) - 1; last >= int(t.gone) {
		x := &t.slots[last]
		if now-x.from <= grain && x.cost > 0 && int64(x.cost)+int64(cost) < 1<<31-1 {
			x.to = max(x.to, now)
			x.cost += cost
			return
		}
	}
	if len(t.slots) == cap(t.slots) && int(t.gone+t.empty) > len(t.slots)/2 {
		t.compact()
	}
	t.slots = append(t.slots, slot{from: now, to: now, cost: cost})
}

func (t *eventLog) compact() {
	kept := t.slots[:0]
	for _, x := range t.live() {
		if x.cost > 0 {
			kept = append(kept, x)
		}
	}
	t.slots, t.gone, t.empty = kept, 0, 0
}

// find returns the slot that includes a time, or nil if it was removed.
func (t *eventLog) find(at int64) *slot {
	low, high := int(t.gone), len(t.slots)
	for low < high { // the first slot that begins after at
		mid := int(uint(low+high) / 2)
		if t.slots[mid].from > at {
			high = mid
		} else {
			low = mid + 1
		}
	}
	if low == int(t.gone) || t.slots[low-1].to < at || t.slots[low-1].cost == 0 {
		return nil
	}
	return &t.slots[low-1]
}

// pull removes a request with that cost from a slot. If the slot cannot hold one, it changes nothing and
// returns false.
func (t *eventLog) pull(x *slot, cost int32) bool {
	if cost > x.cost {
		return false
	}
	if x.cost -= cost; x.cost == 0 {
		t.empty++
		t.trim()
	}
	return true
}

// pop removes the first slot and returns its cost.
func (t *eventLog) pop() int32 {
	cost := t.slots[t.gone].cost
	t.gone++
	t.trim()
	return cost
}

// trim removes empty slots from the front, and frees memory that is no longer needed.
func (t *eventLog) trim() {
	for int(t.gone) < len(t.slots) && t.slots[t.gone].cost == 0 {
		t.gone++
		t.empty--
	}
	switch {
	case int(t.gone) == len(t.slots):
		t.slots, t.gone = t.slots[:0], 0
	case t.gone > 64 && int(t.gone) > len(t.slots)/2:
		t.slots = t.slots[:copy(t.slots, t.slots[t.gone:])]
		t.gone = 0
	}
}
