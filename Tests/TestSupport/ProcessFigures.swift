import Foundation

/// What the kernel tells of a process.
package enum ProcessFigures {
    /// Kinds of memory, by their names in `/proc/<process>/status`.
    package enum Memory: String {
        case virtual = "VmSize"
        case resident = "VmRSS"
        /// Resident at the most, ever.
        case peak = "VmHWM"
        /// Resident, and of no file.
        case anonymous = "RssAnon"
    }

    /// Bytes of a kind; none of a process that has ended.
    package static func memory(_ kind: Memory, of process: Int32) -> Int {
        let lines = read("/proc/\(process)/status")?.split(separator: "\n") ?? []
        return lines.first { $0.hasPrefix(kind.rawValue + ":") }.map(bytes) ?? 0
    }

    /// Bytes that belong to it alone and that it has written. Clean pages are those of its file, which the kernel takes
    /// away and gives back as it likes.
    package static func privateMemory(of process: Int32) -> Int? {
        let lines = read("/proc/\(process)/smaps_rollup")?.split(separator: "\n")
        return lines?.first { $0.hasPrefix("Private_Dirty:") }.map(bytes)
    }

    /// Of a line such as `VmRSS:  1234 kB`.
    private static func bytes(_ line: Substring) -> Int {
        1024
            * (line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0)
    }

    /// It runs. One that has ended may be there for ever where nobody asks how: in a container without an `init`.
    package static func isAlive(_ process: Int32) -> Bool {
        statistics(of: process)?.first.map { $0 != "Z" && $0 != "X" } ?? false
    }

    /// The numbers of its open descriptors.
    package static func descriptors(of process: Int32) -> Set<Int32> {
        Set(names("/proc/\(process)/fd").compactMap { Int32($0) })
    }

    /// When it began, in ticks of the kernel's clock.
    package static func startTime(of process: Int32) -> Int {
        statistics(of: process).flatMap { $0.count > 19 ? Int($0[19]) : nil } ?? .max
    }

    /// Milliseconds since it began.
    package static func age(of process: Int32) -> Int {
        let uptime = read("/proc/uptime")?.split(separator: " ").first.flatMap { Double($0) } ?? 0
        let started = startTime(of: process)
        guard started < .max else { return 0 }
        return Int(uptime * 1000) - milliseconds(started)
    }

    /// Milliseconds for which it has used a processor.
    package static func processorTime(of process: Int32) -> Int {
        let fields = statistics(of: process) ?? []
        return milliseconds(fields.dropFirst(11).prefix(2).compactMap { Int($0) }.reduce(0, +))
    }

    private static func milliseconds(_ ticks: Int) -> Int {
        ticks * 1000 / sysconf(Int32(_SC_CLK_TCK))
    }

    /// The fields of `/proc/<process>/stat` behind the name, which may hold anything: from its state on.
    private static func statistics(of process: Int32) -> [Substring]? {
        guard let text = read("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        return text[text.index(after: end)...].split(separator: " ")
    }

    /// Which of these processes has the connection from this port of 127.0.0.1.
    package static func owner(ofPort port: UInt16, among processes: [Int32]) -> Int32? {
        let address = String(format: ": 0100007F:%04X ", port)
        let table = data("/proc/net/tcp")
        guard let start = table.firstRange(of: Array(address.utf8))?.lowerBound else { return nil }
        let line = table[start...].prefix { $0 != UInt8(ascii: "\n") }
        let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard fields.count > 9 else { return nil }
        let name = "socket:[\(fields[9])]"
        return processes.first { process in
            let folder = "/proc/\(process)/fd"
            return names(folder).contains {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))
                    == name
            }
        }
    }

    private static func names(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    private static func read(_ path: String) -> String? {
        let data = data(path)
        return data.isEmpty ? nil : String(decoding: data, as: UTF8.self)
    }

    /// By a handle: of a file that tells no size, as the kernel's do, other ways read the first piece only.
    private static func data(_ path: String) -> Data {
        (try? FileHandle(forReadingAtPath: path)?.readToEnd()) ?? Data()
    }
}
