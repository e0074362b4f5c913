import Foundation

/// What the kernel tells of a process.
enum ProcessFigures {
    /// Bytes that belong to it alone and that it has written. Clean pages are those of its file, which the kernel takes
    /// away and gives back as it likes.
    static func privateMemory(of process: Int32) -> Int? {
        guard let text = read("/proc/\(process)/smaps_rollup") else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("Private_Dirty:") }
        let field = line?.split(separator: " ").dropFirst().first
        return field.flatMap { Int($0) }.map { $0 * 1024 }
    }

    /// Its open descriptors.
    static func descriptors(of process: Int32) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count) ?? 0
    }

    /// When it began, in ticks of the kernel's clock.
    static func startTime(of process: Int32) -> Int {
        guard let text = read("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return .max
        }
        let fields = text[end...].split(separator: " ")
        return fields.count > 20 ? Int(fields[20]) ?? .max : .max
    }

    /// Milliseconds since it began.
    static func age(of process: Int32) -> Int {
        let uptime = read("/proc/uptime")?.split(separator: " ").first.flatMap { Double($0) } ?? 0
        let started = startTime(of: process)
        guard started < .max else { return 0 }
        return Int(uptime * 1000) - started * 1000 / sysconf(Int32(_SC_CLK_TCK))
    }

    /// Which of these processes has the connection from this port of 127.0.0.1.
    static func owner(ofPort port: UInt16, among processes: [Int32]) -> Int32? {
        let address = String(format: ": 0100007F:%04X ", port)
        let table = data("/proc/net/tcp")
        guard let start = table.firstRange(of: Array(address.utf8))?.lowerBound else { return nil }
        let line = table[start...].prefix { $0 != UInt8(ascii: "\n") }
        let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard fields.count > 9 else { return nil }
        let name = "socket:[\(fields[9])]"
        return processes.first { process in
            let folder = "/proc/\(process)/fd"
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return files.contains {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))
                    == name
            }
        }
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
