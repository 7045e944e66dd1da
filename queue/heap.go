package queue

// heap is a binary heap whose members know their place, so that any of them can leave in O(log n).
// An order says which of two goes first and where a member keeps its place, counted from 1; 0 means
// that it is not in the heap.
type heap[T any, O order[T]] []T

type order[T any] interface {
	less(a, b T) bool
	place(x T) *int32
}

func (h *heap[T, O]) push(x T) {
	var o O
	*h = append(*h, x)
	*o.place(x) = int32(len(*h))
	h.up(len(*h) - 1)
}

// fix restores the order after x changed, and adds or removes x as wanted says.
func (h *heap[T, O]) fix(x T, wanted bool) {
	var o O
	at := *o.place(x)
	switch {
	case at == 0 && wanted:
		h.push(x)
	case at != 0 && !wanted:
		h.remove(x)
	case at != 0:
		if !h.up(int(at) - 1) {
			h.down(int(at) - 1)
		}
	}
}

func (h *heap[T, O]) remove(x T) {
	var o O
	at := int(*o.place(x)) - 1
	if at < 0 {
		return
	}
	last := len(*h) - 1
	h.swap(at, last)
	var none T
	(*h)[last] = none
	*h = (*h)[:last]
	*o.place(x) = 0
	if at < last && !h.up(at) {
		h.down(at)
	}
	// A line that was long once must not hold its memory for ever.
	if c := cap(*h); c > 1024 && last < c/4 {
		*h = append(make(heap[T, O], 0, c/2), *h...)
	}
}

func (h *heap[T, O]) swap(i, j int) {
	var o O
	s := *h
	s[i], s[j] = s[j], s[i]
	*o.place(s[i]) = int32(i + 1)
	*o.place(s[j]) = int32(j + 1)
}

func (h *heap[T, O]) up(i int) (moved bool) {
	var o O
	for i > 0 {
		parent := (i - 1) / 2
		if !o.less((*h)[i], (*h)[parent]) {
			break
		}
		h.swap(i, parent)
		i, moved = parent, true
	}
	return moved
}

func (h *heap[T, O]) down(i int) {
	var o O
	for {
		child := 2*i + 1
		if child >= len(*h) {
			return
		}
		if right := child + 1; right < len(*h) && o.less((*h)[right], (*h)[child]) {
			child = right
		}
		if !o.less((*h)[child], (*h)[i]) {
			return
		}
		h.swap(i, child)
		i = child
	}
}
