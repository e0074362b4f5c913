import EventLoop
import HTTP
import HTTPClient

/// Asks the gateway through nginx, as a caller would.
@LoopActor
struct GatewayProbe {
    let port: UInt16
    private let client = Client()

    init(port: UInt16) { self.port = port }

    /// Whether nginx, a worker and the database work together.
    func isReady() async -> Bool {
        await status("/health/ready", [:]) == .ok
    }

    /// Whether a token is good, as it stands in a file.
    func accepts(token: [UInt8]) async -> Bool {
        let text = String(decoding: token.prefix { $0 > 0x20 }, as: UTF8.self)
        return await status("/api/users/me", ["authorization": "Bearer \(text)"]) == .ok
    }

    private func status(_ path: String, _ fields: Fields) async -> HTTP.Status? {
        let deadlines = Deadlines(connect: 2, firstByte: 10, betweenBytes: 10, total: 10)
        let call = Call(
            method: .get, url: "http://127.0.0.1:\(port)\(path)", fields: fields,
            deadlines: deadlines)
        guard let transfer = try? client.start(call) else { return nil }
        defer { transfer.close() }
        let head = try? await transfer.head()
        _ = try? await transfer.body(limit: 1 << 20)
        return head?.status
    }
}
