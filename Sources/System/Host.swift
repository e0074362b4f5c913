internal import CLinux
internal import Glibc

/// The machine and this process's place in it.
package enum Host {
    /// Processors that this process may use.
    package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// The effective user is root.
    package static var isRoot: Bool { geteuid() == 0 }

    /// This process's id.
    package static var processID: Int32 { getpid() }

    /// The id of the process that started this one; it changes when that one dies.
    package static var parentID: Int32 { getppid() }

    /// The words of the command line, the program's name first. Swift looks for them below the environment, which a
    /// library may have moved that was loaded before it (`LD_PRELOAD`); then the kernel tells them.
    package static var arguments: [String] {
        guard CommandLine.arguments.isEmpty else { return CommandLine.arguments }
        let line = (try? SystemFile.read("/proc/self/cmdline", limit: 2 << 20)) ?? []
        return line.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Names this process for `ps` and `top` (`prctl`), 15 characters at most.
    package static func setName(_ name: String) {
        _ = unsafe name.withCString { unsafe set_process_name($0) }
    }

    /// Lets the memory of large bodies go back to the system when they are freed (`mallopt`). By itself glibc learns
    /// from each to keep the next one.
    package static func returnsLargeMemory() {
        _ = mallopt(M_MMAP_THRESHOLD, 1 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, 4 << 20)
    }

    /// Gives the system back all pages on which nothing is in use (`malloc_trim`).
    package static func returnFreeMemory() {
        malloc_trim(0)
    }

    /// Does nothing for so long (`usleep`): for start-up only, since nothing else happens meanwhile.
    package static func pause(milliseconds: UInt32) {
        usleep(min(milliseconds, 4_000_000) * 1000)
    }

    /// Has processes that this one starts from now on end at once when they crash. Where the tools of Swift are
    /// installed, its runtime would first look for the cause, for seconds, and print what it finds in memory: prompts.
    package static func letsChildrenCrash() {
        _ = unsafe setenv("SWIFT_BACKTRACE", "enable=no", 1)
    }

    /// Ends this process after so many seconds, whatever it does then (`alarm`).
    package static func endsLatest(seconds: UInt32) {
        alarm(seconds)
    }

    /// Opens `/dev/null` as whichever of the descriptors 0, 1 and 2 is closed: what is opened next would take its
    /// number, and get what is meant for the standard error.
    package static func occupyStandardDescriptors() {
        while true {
            let descriptor = unsafe open("/dev/null", O_RDWR)
            guard descriptor > STDERR_FILENO else {
                if descriptor < 0 { return }
                continue
            }
            _ = close(descriptor)
            return
        }
    }

    /// Ends this process.
    package static func exit(_ code: Int32) -> Never {
        Glibc.exit(code)
    }

    /// Threads of this process (`/proc/self/task`).
    package static var threads: Int { SystemFile.names(in: "/proc/self/task").count }

    /// Raises the soft limit of open descriptors to the hard one (`setrlimit`). Returns the limit in force.
    @discardableResult
    package static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(resource, &limit)
        return Int(clamping: limit.rlim_cur)
    }
}

/// A descriptor's plain operations.
package enum Descriptor {
    /// `close`
    package static func close(_ descriptor: Int32) {
        _ = Glibc.close(descriptor)
    }

    /// Lets go of what it stands for, and keeps the number: `/dev/null` from now on (`dup2`).
    package static func replaceByNothing(_ descriptor: Int32) {
        // Without a descriptor to open it with, standard error must do.
        let nothing = try? SystemFile.nothing()
        dup2(nothing?.descriptor ?? STDERR_FILENO, descriptor)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// Writes without waiting; false when not all was taken.
    @discardableResult
    package static func write(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(
                descriptor, $0.baseAddress, $0.count,
                Int32(MSG_NOSIGNAL | MSG_DONTWAIT)) == bytes.count
        }
    }

    /// Sends what the socket takes without waiting; how many bytes that were.
    package static func send(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Int {
        guard !bytes.isEmpty else { return 0 }
        return unsafe bytes.withUnsafeBytes {
            unsafe max(
                0,
                Glibc.send(
                    descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT)))
        }
    }

    /// Waits until there is something to read from a socket (`poll`, `recv`), which no loop may do. Nil when its other
    /// end is closed.
    package static func readWaiting(_ descriptor: Int32) -> [UInt8]? {
        while true {
            var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&question, 1, -1)
            guard let bytes = read(descriptor, limit: 1 << 20) else { return nil }
            if !bytes.isEmpty { return bytes }
        }
    }

    /// Reads what there is from a socket without waiting: nil when its other end is closed, empty when there is
    /// nothing.
    package static func read(_ descriptor: Int32, limit: Int = 4096) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
        }
        if count == 0 { return nil }
        if count < 0 { return errno == EAGAIN || errno == EINTR ? [] : nil }
        return Array(bytes[..<count])
    }
}
