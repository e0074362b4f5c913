import EventLoop
import Foundation

/// A socket that listens on 127.0.0.1 and does no more: whoever connects is let in and never heard; or not even let in,
/// if its queue is full.
package final class DeafServer: Sendable {
    package let port: UInt16
    private let descriptors: [Int32]

    package init(isFull: Bool = false) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var length = size
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let listener = socket(AF_INET, flags, 0)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, isFull ? 0 : 128) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw SystemError.last("bind") }
        port = UInt16(bigEndian: address.sin_port)
        var descriptors = [listener]
        for _ in 0..<(isFull ? 4 : 0) {
            let client = socket(AF_INET, flags, 0)
            descriptors.append(client)
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, size) }
            }
        }
        self.descriptors = descriptors
    }

    deinit { descriptors.forEach { close($0) } }
}
