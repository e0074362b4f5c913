import EventLoop
import HTTP
import HTTPClient
import JSON
import ScriptedProvider
import Testing

@Suite("The scripted provider")
@LoopActor struct ScriptedProviderTests {
    private let client = Client()

    private func call(
        _ server: ProviderServer, _ model: String, isStream: Bool = true,
        path: String = "/v1/chat/completions", patience: Double = 30
    ) throws -> Transfer {
        let said =
            switch path {
            case "/v1/completions", "/api/generate": #""prompt":"one two""#
            case "/v1/embeddings", "/api/embed": #""input":["one two"]"#
            default: #""messages":[{"role":"user","content":"one two"}]"#
            }
        let body = #"{"model":"\#(model)","stream":\#(isStream),\#(said)}"#
        let deadlines = Deadlines(
            connect: 30, firstByte: patience, betweenBytes: patience, total: 10 * patience)
        return try client.start(
            Call(
                method: .post, url: server.url + path, fields: ["Authorization": "Bearer k"],
                body: Array(body.utf8), deadlines: deadlines))
    }

    private func contents(_ body: [UInt8]) throws -> [String] {
        var parser = EventStreamParser()
        parser.append(body)
        var found: [String] = []
        while let event = try parser.next() {
            let choice = try? Document(event.data).root["choices"]?[0]
            found.append(choice?["delta"]?["content"]?.string ?? "")
        }
        return found
    }

    @Test("answers word by word and in one piece, and remembers the request")
    func echo() async throws {
        let server = try ProviderServer()
        defer { server.stop() }
        let stream = try call(server, "echo")
        defer { stream.close() }
        #expect(try contents(try await stream.body(limit: 9999)) == ["", "one", " two", "", ""])
        let unary = try call(server, "echo", isStream: false)
        defer { unary.close() }
        let reply = try Document(try await unary.body(limit: 9999)).root
        #expect(reply["choices"]?[0]?["message"]?["content"]?.string == "one two")
        #expect(reply["usage"]?["total_tokens"]?.integer == 4)
        let recorded = server.recorded
        #expect(recorded.map(\.id) == [1, 2])
        #expect(recorded.map(\.connection) == [1, 1])
        #expect(recorded.map(\.model) == ["echo", "echo"])
        #expect(recorded.map { $0.fields["authorization"] } == ["Bearer k", "Bearer k"])
        #expect(recorded.allSatisfy { !$0.closedEarly && $0.ended ?? 0 >= $0.started })
    }

    @Test("tells an observer who comes and goes, from which port, and which counts it has told")
    func observer() async throws {
        let server = try ProviderServer()
        defer { server.stop() }
        var seen: [Recorded] = []
        server.observer = { seen.append($0) }
        for (model, isStream) in [("echo-paced-1", true), ("usage", true), ("echo", false)] {
            let transfer = try call(server, model, isStream: isStream)
            defer { transfer.close() }
            _ = try await transfer.body(limit: 9999)
        }
        #expect(seen.map { $0.ended == nil } == [true, false, true, false, true, false])
        #expect(seen.allSatisfy { $0.port > 0 && $0.port != server.port })
        // The first stream did not ask for them.
        #expect(
            seen.map(\.counted) == [
                nil, nil, nil, .init(prompt: 2, completion: 2), nil,
                .init(prompt: 2, completion: 2),
            ])
    }

    @Test("notices a client that leaves early")
    func leaving() async throws {
        let server = try ProviderServer()
        defer { server.stop() }
        let transfer = try call(server, "hang-after-2")
        _ = try await transfer.next()
        transfer.close()
        while server.recorded.last?.ended == nil { try await Loop.sleep(milliseconds: 1) }
        #expect(server.recorded.last?.closedEarly == true)
    }

    @Test("plays every behaviour, on both wires, streamed and not")
    func everything() async throws {
        let server = try ProviderServer()
        defer { server.stop() }
        let list = try client.start(Call(method: .get, url: server.url + "/v1/models"))
        defer { list.close() }
        let models = try Document(try await list.body(limit: 99_999)).root["data"]?.elements
        let names = (models.map { Array($0) } ?? []).compactMap { $0["id"]?.string }
        #expect(names.count > 40)
        let forms = [
            ("/v1/chat/completions", true), ("/v1/chat/completions", false),
            ("/api/chat", true), ("/api/chat", false),
            ("/v1/completions", true), ("/v1/completions", false),
            ("/api/generate", true), ("/api/generate", false),
            ("/v1/embeddings", false), ("/api/embed", false),
        ]
        for name in names {
            let transfers = try forms.map { path, isStream in
                try call(server, name + "-2", isStream: isStream, path: path, patience: 0.3)
            }
            for transfer in transfers {
                _ = try? await transfer.body(limit: 16 << 20)
                transfer.close()
            }
        }
        // A kept connection that is reset before any reply makes curl ask once more.
        #expect(server.recorded.count >= 1 + 10 * names.count)
        let echo = try call(server, "echo", isStream: false, path: "/api/chat")
        defer { echo.close() }
        let reply = try Document(try await echo.body(limit: 9999)).root
        #expect(reply["message"]?["content"]?.string == "one two")
    }

    @Test("fails as often as told, then answers")
    func flaky() async throws {
        let server = try ProviderServer()
        defer { server.stop() }
        var statuses: [Status] = []
        for _ in 0..<3 {
            let transfer = try call(server, "flaky-2")
            defer { transfer.close() }
            statuses.append(try await transfer.head().status)
            _ = try await transfer.body(limit: 9999)
        }
        #expect(statuses == [500, 500, 200])
    }
}
