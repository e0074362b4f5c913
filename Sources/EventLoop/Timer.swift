/// Something to be done later. Made by `Loop.after`.
@LoopActor
package final class Timer {
    let deadline: Int64
    /// The turn of the loop in which it was set. It fires in a later one, so that events pass between a timer and the
    /// next one that it sets.
    let turn: UInt64
    let body: @LoopActor () -> Void
    /// Its place in the queue's heap; nil when it has fired or was cancelled.
    fileprivate(set) var place: Int?

    init(deadline: Int64, turn: UInt64, body: @escaping @LoopActor () -> Void) {
        self.deadline = deadline
        self.turn = turn
        self.body = body
    }

    /// It has neither fired nor been cancelled.
    package var isPending: Bool { place != nil }

    /// Takes the timer back. Without effect once it has fired.
    package func cancel() {
        Loop.timers.remove(self)
    }
}

/// A binary heap of timers, earliest first. A cancelled timer leaves at once, so that the long deadlines of short
/// requests do not pile up.
@LoopActor
struct TimerQueue {
    private var heap: [Timer] = []

    nonisolated init() {}

    mutating func insert(_ timer: Timer) {
        heap.append(timer)
        timer.place = heap.count - 1
        siftUp(heap.count - 1)
    }

    mutating func remove(_ timer: Timer) {
        guard let place = timer.place else { return }
        timer.place = nil
        let last = heap.removeLast()
        guard last !== timer else { return }
        heap[place] = last
        last.place = place
        siftUp(place)
        siftDown(last.place ?? place)
    }

    /// Removes and returns the earliest timer if its time has come and it was set before this turn.
    mutating func popDue(at now: Int64, before turn: UInt64) -> Timer? {
        guard let first = heap.first, first.deadline <= now, first.turn < turn else { return nil }
        remove(first)
        return first
    }

    /// How long `epoll_wait` may sleep: −1 without any timer.
    func milliseconds(from now: Int64) -> Int32 {
        guard let first = heap.first else { return -1 }
        return Int32(clamping: max(0, first.deadline - now))
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { return }
            exchange(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].deadline < heap[least].deadline {
                least = child
            }
            guard least != parent else { return }
            exchange(parent, least)
            parent = least
        }
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        heap.swapAt(one, other)
        heap[one].place = one
        heap[other].place = other
    }
}
