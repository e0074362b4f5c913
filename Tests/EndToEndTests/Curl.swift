import EventLoop
import Foundation
import ScriptedProvider
import System
import TestSupport

/// Streams that real curls receive, one each.
@LoopActor final class Curls {
    /// How one of them ended.
    struct End {
        var code: Int32
        var output: String

        var isWhole: Bool { output.hasSuffix("data: [DONE]\n\n") }
    }

    private let files: [String]
    private let tasks: [Task<Int32, any Error>]

    /// Starts so many.
    init(_ count: Int, _ model: String, _ site: Deployment, _ user: User) {
        let folder = site.folder + "/curls-\(UUID().uuidString.prefix(8))"
        let files = (0..<count).map { "\(folder)-\($0)" }
        self.files = files
        let body =
            #"{"model":"\#(model)","stream":true,"messages":[{"role":"user","content":"x"}]}"#
        tasks = files.map { file in
            Task { @LoopActor in
                try await Program.run([
                    "curl", "-sSN", "-m", "60", "-o", file, site.url() + "/v1/chat/completions",
                    "-d", body,
                    "-H", "Authorization: Bearer \(user.token)",
                    "-H", "Content-Type: application/json",
                ]).code
            }
        }
    }

    /// Waits until each of them has received text.
    func areAllReceiving() async -> Bool {
        await waitUntil(seconds: 30) {
            self.files.allSatisfy { Self.text($0).contains(#""content":"0:"#) }
        }
    }

    /// Waits for their ends.
    func ends() async throws -> [End] {
        var ends: [End] = []
        for (task, file) in zip(tasks, files) {
            ends.append(End(code: try await task.value, output: Self.text(file)))
        }
        return ends
    }

    private static func text(_ file: String) -> String {
        (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    }
}

/// One request over HTTP/2, of a curl that can be killed at any moment.
@LoopActor final class CurlCall {
    private let child: Subprocess
    private let file: String
    /// When it was killed, if it was (`CLOCK_MONOTONIC`, µs).
    private(set) var leftAt: Int64?

    init(_ chat: Chat, _ site: Deployment, _ user: User) throws {
        file = site.folder + "/curl-\(UUID().uuidString.prefix(8))"
        child = try Subprocess(
            Subprocess.Launch(
                "curl",
                ["-sNi", "--http2-prior-knowledge", "-o", file]
                    + Self.words(of: chat, site, user)))
    }

    /// What a curl is told of a request.
    static func words(of chat: Chat, _ site: Deployment, _ user: User) -> [String] {
        let request = chat.request
        let fields = request.fields + [("Authorization", "Bearer \(user.token)")]
        return [
            site.url(.http2) + request.path, "--data-binary",
            String(decoding: request.body ?? [], as: UTF8.self),
        ] + fields.flatMap { ["-H", "\($0.name): \($0.value)"] }
    }

    /// What it has received, with the head.
    var output: String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }

    /// Kills it.
    func leave() async throws {
        leftAt = microseconds()
        child.send(SIGKILL)
        _ = try await Program.end(of: child, seconds: 10)
    }
}
