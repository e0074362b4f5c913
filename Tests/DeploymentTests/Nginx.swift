import Foundation

/// A real nginx in a folder of its own, with the shipped snippet included in its one server.
final class Nginx {
    struct Failure: Error { let output: String }

    let port: Int
    let folder: URL
    private var process: Process?

    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let snippet = root.appending(path: "nginx/archway-snippet.conf").path
    static let site = root.appending(path: "nginx/archway-site.conf").path

    /// Starts nginx and waits until it answers. `locations` is text for the server block; `SOCKET` in it stands for the
    /// path of a worker's socket in the folder.
    init(locations: String) throws {
        folder = FileManager.default.temporaryDirectory
            .appending(path: "archway-nginx-\(UUID().uuidString.prefix(8))")
        port = try Self.freePort()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = """
            \(Self.frame(folder))
            server {
                listen 127.0.0.1:\(port);
                include \(Self.snippet);
                \(locations.replacing("SOCKET", with: "unix:\(socket)"))
            }
            }
            """
        let configuration = folder.appending(path: "nginx.conf")
        try Data(text.utf8).write(to: configuration)
        let process = Process()
        process.executableURL = URL(filePath: Self.executable)
        process.arguments = ["-p", folder.path, "-c", configuration.path, "-g", "daemon off;"]
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        let deadline = ContinuousClock.now + .seconds(10)
        while (try? request("GET /nothing HTTP/1.0\r\n\r\n")) == nil {
            guard ContinuousClock.now < deadline, process.isRunning else {
                let log = folder.appending(path: "error.log")
                throw Failure(output: (try? String(contentsOf: log, encoding: .utf8)) ?? "")
            }
            usleep(10_000)
        }
    }

    deinit {
        process?.terminate()
        process?.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    var socket: String { folder.appending(path: "worker.sock").path }

    /// Sends `text` as it is and returns what comes until nginx closes, or until the body is as long as it says.
    func request(_ text: String) throws -> Reply {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = Self.loopback(port: UInt16(port))
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard connected == 0 else { throw Failure(output: "connect") }
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
        var data = Data()
        while let byte = UnixSocket.read(1, from: descriptor) {
            data += byte
            if let reply = Reply(data), reply.isComplete { return reply }
        }
        guard let reply = Reply(data) else { throw Failure(output: "no reply") }
        return reply
    }

    /// What `nginx -t` says about the example site, laid out as `make install` does. Empty when it is content.
    static func complaintsAboutSite() throws -> String {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "archway-nginx-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(at: folder) }
        let snippets = folder.appending(path: "snippets")
        try FileManager.default.createDirectory(at: snippets, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: URL(filePath: snippet), to: snippets.appending(path: "archway.conf"))
        let configuration = folder.appending(path: "nginx.conf")
        let site = try String(contentsOfFile: site, encoding: .utf8)
            .replacing("127.0.0.1:80;", with: "127.0.0.1:\(try freePort());")
        try Data("\(frame(folder))\(site)}".utf8).write(to: configuration)
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(filePath: executable)
        process.arguments = ["-q", "-t", "-p", folder.path, "-c", configuration.path]
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0
            ? "" : String(decoding: output, as: UTF8.self) + "failed"
    }

    private static let executable =
        ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"]
        .first { FileManager.default.isExecutableFile(atPath: $0) } ?? "/usr/sbin/nginx"

    private static func frame(_ folder: URL) -> String {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder.path)/\($0);" }.joined(separator: "\n")
        return """
            pid \(folder.path)/pid;
            error_log \(folder.path)/error.log;
            worker_processes 1;
            \(getuid() == 0 ? "user root;" : "")
            events {}
            http {
            access_log off;
            \(temporary)

            """
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func freePort() throws -> Int {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard bound else { throw Failure(output: "bind") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// An HTTP/1.1 reply with a `Content-Length`, or one that ended with its connection.
struct Reply {
    let status: Int
    let fields: [String: String]
    let body: Data

    init?(_ data: Data) {
        guard let end = data.firstRange(of: Data("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: data[..<end.lowerBound], as: UTF8.self)
            .components(separatedBy: "\r\n")
        guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        self.status = status
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] =
                parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        }
        self.fields = fields
        body = data[end.upperBound...]
    }

    var isComplete: Bool {
        fields["content-length"].flatMap { Int($0) } == body.count
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The members of the `error` object, JSON null as `NSNull`.
    var error: [String: Any] {
        let object = try? JSONSerialization.jsonObject(with: body) as? [String: Any]
        return object?["error"] as? [String: Any] ?? [:]
    }

    /// The lines that `EchoingWorker` wrote.
    var parameters: [String: String] {
        var pairs: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { pairs[String(parts[0])] = String(parts[1]) }
        }
        return pairs
    }
}
