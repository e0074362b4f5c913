import EventLoop
import Foundation
import System

/// A server that speaks TLS on loopback, by `openssl s_server`. Whoever asks gets a page.
@LoopActor package final class SecureServer {
    package let port: UInt16
    private let process: Subprocess

    /// Shows the certificate of that kind.
    package init(_ kind: Certificates.Kind, of certificates: Certificates) async throws {
        port = try FreePort.find()
        let name = certificates.folder + "/" + kind.rawValue
        var launch = Subprocess.Launch(
            "openssl",
            [
                "s_server", "-accept", "127.0.0.1:\(port)", "-cert", name + ".pem",
                "-key", name + ".key", "-www", "-quiet",
            ])
        let output = open(name + ".output", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(output) }
        launch.descriptors = [0: output, 1: output, 2: output]
        process = try Subprocess(launch)
        let port = port
        guard await waitUntil({ Self.listens(port) }) else {
            throw Deployment.Failure(description: "openssl s_server does not listen")
        }
    }

    package var url: String { "https://127.0.0.1:\(port)" }

    /// Ends it.
    package func stop() async {
        process.send(SIGKILL)
        _ = try? await Program.end(of: process, seconds: 3)
    }

    private static func listens(_ port: UInt16) -> Bool {
        let table = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? ""
        let local = "0100007F:" + String(format: "%04X", port)
        return table.split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.count > 3 && words[1] == local && words[3] == "0A"
        }
    }
}
