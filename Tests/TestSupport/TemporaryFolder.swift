import EventLoop
import Foundation

/// An empty folder below `/tmp` (whose short name leaves room for the path of a UNIX socket), open to its owner only.
/// It is deleted with the last reference to it: a suite holds one in a stored property for as long as a test takes.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// - Parameter subject: what it is for, a part of its name.
    package init(_ subject: String) throws { path = try Self.make(subject) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Makes one that its user deletes (`mkdtemp(3)`).
    /// - Returns: its path.
    static func make(_ subject: String) throws -> String {
        var path = Array("/tmp/archway-\(subject)-XXXXXX".utf8CString)
        guard mkdtemp(&path) != nil else { throw SystemError.last("mkdtemp") }
        return String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
