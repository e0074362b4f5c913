import EventLoop
import Foundation

/// Ports of 127.0.0.1 on which nobody listens. Each is given out once.
@LoopActor package enum FreePort {
    private static var given: Set<UInt16> = []

    /// A port that is free now.
    package static func find() throws -> UInt16 {
        while true {
            let port = try bound()
            if given.insert(port).inserted { return port }
        }
    }

    private static func bound() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isBound else { throw SystemError.last("bind") }
        return UInt16(bigEndian: address.sin_port)
    }
}
