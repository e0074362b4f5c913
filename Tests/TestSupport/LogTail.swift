import EventLoop
import Foundation

/// A log, line by line as it grows.
@LoopActor package final class LogTail {
    private let path: String
    private var file: FileHandle?
    private var rest = Data()

    package init(_ path: String) { self.path = path }

    /// The lines that are new.
    package func take() -> [String] {
        if file == nil { file = FileHandle(forReadingAtPath: path) }
        rest += (try? file?.readToEnd()) ?? Data()
        guard let end = rest.lastIndex(of: 0x0a) else { return [] }
        let lines = rest[...end].split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
        rest = Data(rest[(end + 1)...])
        return lines
    }
}
