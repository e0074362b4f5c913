internal import CLinux
internal import Synchronization

/// The executor behind `LoopActor`: jobs that one thread drains between two calls of `epoll_wait`.
///
/// `LoopTaskExecutor`, which our tasks prefer, feeds the same queue. Both are needed: a resumed continuation goes to
/// the task's preferred executor, and a task without one would start libdispatch's thread pool.
package final class LoopExecutor: SerialExecutor {
    package static let shared = LoopExecutor()

    /// A job, and how it came.
    private struct Entry {
        let job: UnownedJob
        /// It belongs to a task that prefers our task executor. Only then may the job be run as if on that one: the
        /// runtime takes the resumption for arrived and does not enqueue it once more. A task without preference (a
        /// test's) would lose its next wake-up that way.
        let isPreferred: Bool
    }

    /// Jobs made on the loop's own thread: no lock, as nobody else touches them.
    private nonisolated(unsafe) var jobs: [Entry] = []
    private nonisolated(unsafe) var running: [Entry] = []
    /// The thread that drains; set once, before the first job runs.
    private nonisolated(unsafe) var owner = pthread_t()
    private let hasOwner = Atomic<Bool>(false)
    /// Jobs made by other threads (only tests have any), and the descriptor that wakes the loop for them.
    private let inbox = Mutex<[Entry]>([])
    let wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))

    /// True on the loop's thread.
    package var isOnLoop: Bool {
        guard hasOwner.load(ordering: .acquiring) else { return false }
        return unsafe pthread_equal(pthread_self(), owner) != 0
    }

    /// Makes the calling thread the loop's. False when another thread is that already.
    func claim() -> Bool {
        inbox.withLock { _ in
            guard !hasOwner.load(ordering: .acquiring) else { return false }
            unsafe owner = pthread_self()
            hasOwner.store(true, ordering: .releasing)
            return true
        }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        enqueue(Entry(job: UnownedJob(job), isPreferred: false))
    }

    fileprivate func enqueuePreferred(_ job: consuming ExecutorJob) {
        enqueue(Entry(job: UnownedJob(job), isPreferred: true))
    }

    private func enqueue(_ entry: Entry) {
        if isOnLoop {
            unsafe jobs.append(entry)
            return
        }
        inbox.withLock { $0.append(entry) }
        var one: UInt64 = 1
        _ = unsafe write(wakeDescriptor, &one, 8)
        if !hasOwner.load(ordering: .acquiring) { Loop.startThread() }
    }

    /// Runs jobs until none is left. Only on the loop's thread.
    func drain() {
        while unsafe !jobs.isEmpty {
            unsafe swap(&jobs, &running)
            for entry in unsafe running {
                if entry.isPreferred {
                    unsafe entry.job.runSynchronously(
                        isolatedTo: asUnownedSerialExecutor(),
                        taskExecutor: LoopTaskExecutor.shared.asUnownedTaskExecutor())
                } else {
                    unsafe entry.job.runSynchronously(on: asUnownedSerialExecutor())
                }
            }
            unsafe running.removeAll(keepingCapacity: true)
        }
    }

    /// Takes over what other threads enqueued.
    func adoptInbox() {
        var count: UInt64 = 0
        _ = unsafe read(wakeDescriptor, &count, 8)
        inbox.withLock { inbox in
            unsafe jobs.append(contentsOf: inbox)
            inbox.removeAll(keepingCapacity: true)
        }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        unsafe UnownedSerialExecutor(ordinary: self)
    }

    package func checkIsolated() {
        precondition(isOnLoop, "not on the event loop's thread")
    }

    package func isIsolatingCurrentContext() -> Bool? { isOnLoop }
}

/// The executor that every task of ours prefers; see `spawn`.
final class LoopTaskExecutor: TaskExecutor {
    static let shared = LoopTaskExecutor()

    func enqueue(_ job: consuming ExecutorJob) {
        LoopExecutor.shared.enqueuePreferred(job)
    }

    func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        unsafe UnownedTaskExecutor(ordinary: self)
    }
}
