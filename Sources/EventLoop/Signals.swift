internal import CLinux

/// Signals as events of the loop (`signalfd`). The watched signals are blocked for the thread, and so for every
/// process that it starts without resetting the mask.
@LoopActor
package final class Signals: Watcher {
    private let descriptor: Int32
    private let handle: @LoopActor (Int32) -> Void

    /// Watches `signals` from now on and calls `handle` with the number of each that arrives.
    package init(
        _ signals: [Int32], handle: @escaping @LoopActor (Int32) -> Void
    ) throws(SystemError) {
        var set = Signals.block(signals)
        descriptor = unsafe signalfd(
            -1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        self.handle = handle
        guard descriptor >= 0 else { throw .last("signalfd") }
        try Loop.watch(descriptor, for: .readable, by: self)
    }

    /// Blocks `signals` for this thread (`pthread_sigmask`), so that none is lost before it is watched.
    @discardableResult
    nonisolated static func block(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        return set
    }

    package func ready(_ descriptor: Int32, _ readiness: Readiness) {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while unsafe read(descriptor, &info, size) == size {
            handle(Int32(bitPattern: info.ssi_signo))
        }
    }
}
