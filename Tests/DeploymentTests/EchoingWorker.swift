import Foundation

/// A FastCGI server that answers every request with the parameters that it was given, one `NAME=value` a line.
/// It reads and writes the records itself, so that it shows what nginx really sends.
final class EchoingWorker: @unchecked Sendable {
    private let descriptor: Int32

    init(socket path: String) throws {
        descriptor = try UnixSocket.listen(at: path)
        Thread.detachNewThread { [descriptor] in
            while case let connection = accept(descriptor, nil, nil), connection >= 0 {
                Self.answer(connection)
                close(connection)
            }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    private static func answer(_ connection: Int32) {
        var parameters = Data()
        while let (type, content) = record(from: connection) {
            if type == 4 { parameters += content }
            if type == 5 && content.isEmpty { break }
        }
        let lines = decode([UInt8](parameters)).map { "\($0)=\($1)\n" }.joined()
        let reply = Data(
            "Content-Length: \(lines.utf8.count)\r\n\r\n\(lines)".utf8)
        let end = header(type: 3, length: 8) + Data(count: 8)
        let message = header(type: 6, length: reply.count) + reply + end
        message.withUnsafeBytes { _ = write(connection, $0.baseAddress, $0.count) }
    }

    private static func header(type: UInt8, length: Int) -> Data {
        Data([1, type, 0, 1, UInt8(length >> 8), UInt8(length & 255), 0, 0])
    }

    private static func record(from connection: Int32) -> (type: UInt8, content: Data)? {
        guard let header = UnixSocket.read(8, from: connection) else { return nil }
        let length = Int(header[4]) << 8 | Int(header[5])
        guard let content = UnixSocket.read(length + Int(header[6]), from: connection) else {
            return nil
        }
        return (header[1], content.prefix(length))
    }

    /// Name-value pairs, FastCGI specification 3.4.
    private static func decode(_ bytes: [UInt8]) -> [(String, String)] {
        var pairs: [(String, String)] = []
        var index = 0
        func length() -> Int {
            let first = Int(bytes[index])
            index += 1
            guard first >= 128 else { return first }
            defer { index += 3 }
            return (first & 127) << 24 | Int(bytes[index]) << 16
                | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
        }
        func text(_ count: Int) -> String {
            defer { index += count }
            return String(decoding: bytes[index..<index + count], as: UTF8.self)
        }
        while index < bytes.count {
            let (name, value) = (length(), length())
            pairs.append((text(name), text(value)))
        }
        return pairs
    }
}

enum UnixSocket {
    struct Failure: Error { let call: String }

    static func listen(at path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Failure(call: "path")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard bound == 0 else { throw Failure(call: "bind") }
        guard Glibc.listen(descriptor, 16) == 0 else { throw Failure(call: "listen") }
        chmod(path, 0o666)
        return descriptor
    }

    static func read(_ count: Int, from descriptor: Int32) -> Data? {
        var data = Data(count: count)
        var done = 0
        while done < count {
            let more = data.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + done }, count - done)
            }
            guard more > 0 else { return nil }
            done += more
        }
        return data
    }
}
