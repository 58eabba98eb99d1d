package simulator

// queue holds what is to come, the earliest first; of the same moment, what was queued first.
type queue[T any] struct {
	heap   []queued[T]
	pushed uint64
}

type queued[T any] struct {
	at    int64
	order uint64
	what  T
}

func (a *queued[T]) before(b *queued[T]) bool {
	return a.at < b.at || a.at == b.at && a.order < b.order
}

func (q *queue[T]) first() (at int64, some bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].at, true
}

// push and pop are container/heap's, without its interfaces: every event goes through here.
func (q *queue[T]) push(at int64, what T) {
	q.pushed++
	q.heap = append(q.heap, queued[T]{at, q.pushed, what})
	h := q.heap
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h[i].before(&h[parent]) {
			break
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

func (q *queue[T]) pop() T {
	h := q.heap
	e := h[0].what
	last := len(h) - 1
	h[0] = h[last]
	h[last] = queued[T]{}
	h = h[:last]
	q.heap = h
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return e
		}
		if right := child + 1; right < last && h[right].before(&h[child]) {
			child = right
		}
		if !h[child].before(&h[i]) {
			return e
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}
