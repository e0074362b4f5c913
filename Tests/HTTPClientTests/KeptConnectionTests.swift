import EventLoop
import Foundation
import HTTP
import TestSupport
import Testing

@testable import HTTPClient

@Suite("Connections that are kept for the next call")
@LoopActor
struct KeptConnectionTests {
    @Test("are those of whole replies; the number of one that never stood may be a stranger's")
    func stranger() async throws {
        let client = Client()
        let full = try DeafServer(isFull: true)
        let call = try client.start(Call(method: .get, url: "http://127.0.0.1:\(full.port)/"))
        #expect(try await waitUntil { call.socket != nil })
        let number = try #require(call.socket)
        call.close()

        // Whoever opens something now gets the number, and has not read yet what it was sent.
        var ends: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        try #require(ends.contains(number))
        let peer = ends[0] == number ? ends[1] : ends[0]
        #expect(send(peer, "x", 1, Int32(MSG_NOSIGNAL)) == 1)

        let server = try LoopbackServer { connection in
            _ = try connection.request()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        defer { server.stop() }
        let next = try client.start(Call(method: .get, url: server.url))
        defer { next.close() }
        #expect(text(try await next.body(limit: 2)) == "ok")
        #expect(send(number, "y", 1, Int32(MSG_NOSIGNAL)) == 1)
        var byte: UInt8 = 0
        #expect(recv(number, &byte, 1, Int32(MSG_DONTWAIT)) == 1 && byte == UInt8(ascii: "x"))
    }
}
