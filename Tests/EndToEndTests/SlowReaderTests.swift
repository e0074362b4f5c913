import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Idle and slow callers") @LoopActor struct SlowReaders {
        @Test(
            "D2: 2,000 idle streams all get their comments, take little memory, and hold up nobody")
        func idle() async throws {
            var plan = DeploymentPlan()
            plan.providers = {
                "  roomy: { kind: openai, base_url: http://127.0.0.1:\($0)/v1, max_concurrent: 9999 }"
            }
            plan.models =
                "  - { id: idle, candidates: [ { provider: roomy, model: hang-after-1 } ] }"
            try await withDeployment(plan) { site, user in
                _ = try await concurrently(50) { _ in try await site.answer(Chat("echo"), user) }
                let before = site.memory()
                var calls: [WebCall] = []
                for _ in 0..<40 {
                    let more = try (0..<50).map { _ in
                        try site.chat(Chat("idle").streamed, user)
                    }
                    for call in more { #expect(try await call.head().status == 200) }
                    calls += more
                }
                let each = (site.memory() - before) / calls.count
                var delays: [Double] = []
                for _ in 0..<20 {
                    let askedAt = microseconds()
                    #expect(try await site.answer(Chat("echo"), user).status == 200)
                    delays.append(Double(microseconds() - askedAt) / 1000)
                }
                // What was sent so far is read; what comes from now on are comments.
                for call in calls { call.skip() }
                for call in calls {
                    let piece = try #require(try await call.next())
                    #expect(String(decoding: piece.bytes, as: UTF8.self).hasPrefix(": keep-alive"))
                }
                figure(
                    "2,000 idle streams: \(each / 1024) KiB each; a request meanwhile took "
                        + "\(Int(percentile(50, of: delays))) ms (median)")
                #expect(each < 100 << 10)
                #expect(percentile(50, of: delays) < 500)
                for call in calls { call.leave() }
                // Once they have gone, so has most of what they took.
                let isReturned = await waitUntil(seconds: 20) {
                    (site.memory() - before) * 4 < each * calls.count
                }
                let kept = (site.memory() - before) * 100 / max(1, each * calls.count)
                figure("of that \(kept) % is kept when they have gone")
                #expect(isReturned)
            }
        }

        @Test(
            "D3: 200 who read 100 bytes a second and 20 who never read hold up nobody but their own providers"
        )
        func slow() async throws {
            var plan = DeploymentPlan()
            plan.nginx = (main: "", server: "send_timeout 8s;", listen: "sndbuf=32k")
            try await withDeployment(plan) { site, user in
                let alone = try await Self.latencies(site, user)
                let before = site.memory()
                let readers = try (0..<220).map { number in
                    try SlowReader(
                        Chat("bulk-3000").streamed.request(of: user), site,
                        interval: number < 200 ? 1000 : nil)
                }
                let areAsked = await waitUntil(seconds: 30) {
                    site.provider.count(of: "bulk-3000") == 220
                }
                #expect(areAsked)
                // 30 MB each, of which the buffers on the way hold a hundredth: their providers wait.
                let waiting = site.provider.recorded.filter {
                    $0.model == "bulk-3000" && $0.ended == nil
                }
                #expect(waiting.count > 20)
                let beside = try await Self.latencies(site, user)
                let each = (site.memory() - before) / 220
                let areEnded = await waitUntil(seconds: 40) {
                    site.provider.recorded.filter { $0.model == "bulk-3000" && $0.closedEarly }
                        .count == 220
                }
                #expect(areEnded)
                for reader in readers { reader.close() }
                let (one, other) = (percentile(50, of: alone), percentile(50, of: beside))
                figure(
                    "220 slow readers: \(each / 1024) KiB each in the workers; p99 of others "
                        + "\(Int(percentile(99, of: alone))) ms alone, "
                        + "\(Int(percentile(99, of: beside))) ms beside them")
                #expect(each < 512 << 10)
                #expect(other < 20 * one + 500)
                #expect(try await site.answer(Chat("echo"), user).status == 200)
            }
        }

        /// Milliseconds that each of a hundred answers took.
        private static func latencies(_ site: Deployment, _ user: User) async throws -> [Double] {
            var delays: [Double] = []
            for _ in 0..<100 {
                let askedAt = microseconds()
                #expect(try await site.answer(Chat("echo"), user).status == 200)
                delays.append(Double(microseconds() - askedAt) / 1000)
            }
            return delays
        }
    }
}

/// A client that reads 100 bytes now and then, or never.
@LoopActor private final class SlowReader {
    private var descriptor: Int32
    private let interval: Int?

    /// Asks, and then reads each `interval` milliseconds.
    init(_ request: WebRequest, _ site: Deployment, interval: Int?) throws {
        self.interval = interval
        descriptor = try Self.connection(to: site)
        let bytes = request.bytes
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw SystemError.last("send")
        }
        read()
    }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    private static func connection(to site: Deployment) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var (size, address) = (Int32(4096), sockaddr_in())
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(URL(string: site.url())?.port ?? 0).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
        }
        guard code == 0 else { throw SystemError.last("connect") }
        return descriptor
    }

    private func read() {
        guard descriptor >= 0, let interval else { return }
        var bytes = [UInt8](repeating: 0, count: 100)
        _ = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        Loop.after(milliseconds: interval) { [self] in read() }
    }
}

extension Chat {
    /// The request of this user.
    fileprivate func request(of user: User) -> WebRequest {
        var request = request
        request.fields.append(("Authorization", "Bearer \(user.token)"))
        return request
    }
}
