package queue

// children is how many children each member of a heap has. With four, the heap is flat: a cache miss
// costs more than a comparison.
const children = 4

// A heap is a priority queue whose members know their place, so that any of them can be removed in O(log n).
// The order says which of two members goes first and where a member stores its place, counted from 1; 0
// means that it is not in the heap.
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
	h.set(at, (*h)[last])
	var none T
	(*h)[last] = none
	*h = (*h)[:last]
	*o.place(x) = 0
	if at < last && !h.up(at) {
		h.down(at)
	}
	// Do not keep the memory of a queue that was long once.
	if c := cap(*h); c > 1024 && last < c/4 {
		*h = append(make(heap[T, O], 0, c/2), *h...)
	}
}

// set puts x at a place.
func (h heap[T, O]) set(i int, x T) {
	var o O
	h[i] = x
	*o.place(x) = int32(i + 1)
}

func (h heap[T, O]) up(i int) (moved bool) {
	var o O
	x := h[i]
	for i > 0 {
		parent := (i - 1) / children
		if !o.less(x, h[parent]) {
			break
		}
		h.set(i, h[parent])
		i, moved = parent, true
	}
	if moved {
		h.set(i, x)
	}
	return moved
}

func (h heap[T, O]) down(i int) {
	var o O
	x, start := h[i], i
	for {
		child := children*i + 1
		if child >= len(h) {
			break
		}
		for other := child + 1; other < min(children*i+1+children, len(h)); other++ {
			if o.less(h[other], h[child]) {
				child = other
			}
		}
		if !o.less(h[child], x) {
			break
		}
		h.set(i, h[child])
		i = child
	}
	if i != start {
		h.set(i, x)
	}
}
