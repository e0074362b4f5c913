import EventLoop
import System

/// Why `archway dev` stops, in words for the person in front of the terminal.
struct DevelopmentError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A program ended where it should have gone on; with the last lines of its log.
    init(_ program: String, ended ending: Subprocess.Ending, log: String) {
        let how =
            switch ending {
            case .exited(let code): "ended with exit code \(code)"
            case .killed(let signal): "was ended by signal \(signal)"
            }
        let lines = LogTail.lines(of: log).map { "    \($0)\n" }.joined()
        self.init("\(program) \(how). The end of \(log):\n\n\(lines)")
    }
}

/// The person pressed Ctrl-C: nothing has failed.
struct Interrupted: Error {}

/// The end of a log file.
enum LogTail {
    /// The last lines, 15 at most; none if the file cannot be read.
    static func lines(of path: String) -> [Substring] {
        guard let bytes = try? SystemFile.read(path, limit: 64 << 20) else { return [] }
        let text = String(decoding: bytes.suffix(8192), as: UTF8.self)
        return text.split(separator: "\n").suffix(15)
    }
}
