package queue

// pool keeps values for later use. It needs no lock of its own: the queue's guards it.
type pool[T any] struct{ spare []*T }

func (p *pool[T]) get() *T {
	n := len(p.spare)
	if n == 0 {
		return new(T)
	}
	x := p.spare[n-1]
	p.spare = p.spare[:n-1]
	return x
}

func (p *pool[T]) put(x *T) {
	if len(p.spare) < maxFree {
		p.spare = append(p.spare, x)
	}
}
