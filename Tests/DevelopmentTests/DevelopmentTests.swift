import EventLoop
import Foundation
import System
import TestSupport
import Testing

/// Another program's port.
private final class TakenPort {
    private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)

    init(_ port: UInt16) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 1) == 0
            }
        }
        guard isBound else { throw SystemError.last("bind") }
    }

    deinit { close(descriptor) }
}

@Suite("archway dev", .serialized)
@LoopActor
struct DevelopmentTests {
    /// So deep that a socket's name in it would be too long, with a name that a shell or YAML could misread, and
    /// closed to every other user, as `/root` is.
    private static func makeState() throws -> (folder: String, state: String) {
        let folder = "/tmp/archway-dev-\(UUID().uuidString.prefix(8))"
        let deep = "\(folder)/\(String(repeating: "deep ", count: 20))'\"${x}"
        try FileManager.default.createDirectory(
            atPath: deep, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        return (folder, "\(deep)/state")
    }

    private func run(_ options: String..., state: String, folder: String) throws -> DevelopmentRun {
        try DevelopmentRun(options, state: state, folder: folder)
    }

    @Test("answers from nothing, keeps its data, and leaves no process however it ends")
    func life() async throws {
        let (folder, state) = try Self.makeState()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let port = "\(try FreePort.find())"
        let first = try run("--port", port, state: state, folder: folder)
        try await first.ready()
        #expect(!first.left.isEmpty)

        let answer = try await Program.output(["bash", "-c", first.printedCommand])
        #expect(answer.contains("[1]") && answer.contains("file_citation"), "\(answer)")
        #expect(answer.hasSuffix("data: [DONE]"))
        let token = try Data(contentsOf: URL(filePath: "\(state)/admin-token"))
        for name in ["admin-token", "pepper", "archway.yaml"] {
            let mode = try FileManager.default.attributesOfItem(atPath: "\(state)/\(name)")[
                .posixPermissions]
            #expect(mode as? Int == 0o600, "\(name)")
        }
        for name in ["master", "nginx"] {
            let id = try String(contentsOfFile: "\(state)/run/\(name).pid", encoding: .utf8)
            #expect(first.started.contains(Int32(id.dropLast()) ?? 0), "\(name)")
        }

        let other = try run("--port", "\(try FreePort.find())", state: state, folder: folder)
        #expect(try await other.end() == 1)
        #expect(other.said.contains("Another `archway dev` is running"), "\(other.said)")

        #expect(try await first.end(by: SIGINT) == 0, "\(first.said)")
        #expect(first.left == [])

        let second = try run("--port", port, state: state, folder: folder)
        try await second.ready()
        #expect(try Data(contentsOf: URL(filePath: "\(state)/admin-token")) == token)
        #expect(!second.said.contains("Making a database"))
        #expect(try await second.end(by: SIGKILL) == 128 + SIGKILL)

        let third = try run("--port", port, state: state, folder: folder)
        try await third.ready()
        #expect(second.left == [])
        let again = try await Program.output(["bash", "-c", third.printedCommand])
        #expect(again.contains("file_citation"), "\(again)")
        #expect(try await third.end(by: SIGTERM) == 0)
        #expect(third.left == [])
    }

    @Test("invites to what there is: own models, own documents, and no token for a disabled admin")
    func invitations() async throws {
        let (folder, state) = try Self.makeState()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func ready(_ options: String...) async throws -> DevelopmentRun {
            let port = "\(try FreePort.find())"
            let run = try DevelopmentRun(
                ["--port", port] + options, state: state, folder: folder, in: folder)
            try await run.ready()
            return run
        }
        func archway(_ words: String...) async throws {
            try await Program.output([Deployment.program] + words + ["--state", state])
        }
        try Data("models: [ { id: docs, candidates: [ { provider: ollama, model: m } ] } ]\n".utf8)
            .write(to: URL(filePath: "\(folder)/mine.yaml"))
        let own = try await ready("--config", "\(folder)/mine.yaml")
        #expect(own.said.contains("Ask your model docs"), "\(own.said)")
        try await archway("user", "disable", "admin")
        #expect(try await own.end(by: SIGINT) == 0)

        let disabled = try await ready()
        #expect(disabled.said.contains("archway user enable user_"), "\(disabled.said)")
        #expect(disabled.said.contains("The admin has no token that is good"))
        #expect(disabled.printedCommand.isEmpty)
        try await archway("user", "enable", "admin")
        #expect(try await disabled.end(by: SIGINT) == 0)

        let empty = try await ready()
        #expect(empty.said.contains("quotes what is in the collection docs"), "\(empty.said)")
        try Data("# Tea\n\nWhat we know of tea is that it is hot.\n".utf8)
            .write(to: URL(filePath: "\(folder)/tea.md"))
        try await archway("ingest", "\(folder)/tea.md", "--collection", "docs")
        let answer = try await Program.output(["bash", "-c", empty.printedCommand])
        #expect(answer.hasSuffix("data: [DONE]"), "\(answer)")
        #expect(try await empty.end(by: SIGINT) == 0)
    }

    @Test("starts nothing when its port is taken, and says so")
    func takenPort() async throws {
        let (folder, state) = try Self.makeState()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let port = try FreePort.find()
        let taken = try TakenPort(port)
        defer { withExtendedLifetime(taken) {} }
        let run = try run("--port", "\(port)", state: state, folder: folder)
        #expect(try await run.end() == 1)
        #expect(run.said.contains("Port \(port) of 127.0.0.1 is taken"), "\(run.said)")
        #expect(SystemFile.names(in: "\(state)/log").isEmpty)
    }

    @Test("ends what it started when a part fails, and shows the end of its log")
    func failingPart() async throws {
        let (folder, state) = try Self.makeState()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let port = "\(try FreePort.find())"
        let run = try run("--port", port, state: state, folder: folder)
        try await run.ready()
        let nginx = try String(contentsOfFile: "\(state)/run/nginx.pid", encoding: .utf8)
        kill(try #require(Int32(nginx.dropLast())), SIGKILL)
        #expect(try await run.end() == 1)
        #expect(run.said.contains("nginx was ended by signal 9"), "\(run.said)")
        #expect(run.left == [])
    }

    @Test("tells a mistake in the person's file by line and column")
    func mistake() async throws {
        let (folder, state) = try Self.makeState()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("models:\n  - idd: x\n".utf8).write(to: URL(filePath: "\(folder)/mine.yaml"))
        let run = try run(
            "--port", "\(try FreePort.find())", "--config", "\(folder)/mine.yaml", state: state,
            folder: folder)
        #expect(try await run.end() == 1)
        #expect(run.said.contains("mine.yaml:2:5"), "\(run.said)")
    }
}
