import EventLoop
import Foundation
import System
import TestSupport
import Testing

@Suite("Processes")
@LoopActor
struct SubprocessTests {
    private static func end(_ process: Subprocess) async -> Subprocess.Ending? {
        var ending: Subprocess.Ending?
        _ = await waitUntil {
            ending = process.ending()
            return ending != nil
        }
        return ending
    }

    private static func shell(
        _ script: String, _ change: (inout Subprocess.Launch) -> Void = { _ in }
    ) throws -> Subprocess {
        var launch = Subprocess.Launch("/bin/sh", ["-c", script])
        change(&launch)
        return try Subprocess(launch)
    }

    @Test("end with their code, or by a signal, and tell it once")
    func endings() async throws {
        #expect(await Self.end(try Self.shell("exit 0")) == .exited(0))
        #expect(await Self.end(try Self.shell("exit 7")) == .exited(7))
        let killed = try Self.shell("kill -9 $$")
        #expect(await Self.end(killed) == .killed(9))
        #expect(killed.ending() == .exited(255))
        #expect(Subprocess.Ending.exited(0).isSuccess)
        #expect(!Subprocess.Ending.exited(1).isSuccess && !Subprocess.Ending.killed(0).isSuccess)
    }

    @Test("take signals, alone or with all that they have started")
    func signals() async throws {
        let one = try Self.shell("exec sleep 60")
        #expect(one.ending() == nil)
        one.send(Signal.terminate)
        #expect(await Self.end(one) == .killed(Signal.terminate))
        let group = try Self.shell("sleep 60 & wait")
        group.send(Signal.kill, toGroup: true)
        #expect(await Self.end(group) == .killed(Signal.kill))
    }

    @Test("are refused where there is no such program or folder")
    func refused() {
        #expect(throws: SystemError.self) { try Subprocess(.init("/no/such/program", [])) }
        #expect(throws: SystemError.self) { try Self.shell("true") { $0.folder = "/no/such" } }
    }

    @Test("have the descriptors that they were given, and none of ours")
    func descriptors() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let leak = open("/dev/null", O_RDONLY)
        defer { [ours, theirs, leak].forEach { Descriptor.close($0) } }
        let process = try Self.shell("ls /proc/$$/fd >&5; pwd >&5") {
            $0.descriptors = [0: leak, 5: theirs]
            $0.folder = "/usr"
        }
        #expect(await Self.end(process) == .exited(0))
        let text = String(decoding: try #require(Descriptor.read(ours)), as: UTF8.self)
        let words = text.split(whereSeparator: \.isNewline).map(String.init)
        #expect(words.last == "/usr")
        #expect(words.contains("0") && words.contains("5"))
        #expect(!words.contains("\(leak)") || leak <= 5)
        #expect(!words.contains("\(ours)") || ours <= 5)
    }

    @Test("have several descriptors, also where their numbers are ours of others")
    func crossedDescriptors() async throws {
        let pairs = try (0..<2).map { _ in try UnixSocket.pair() }
        defer { for (ours, theirs) in pairs { [ours, theirs].forEach { Descriptor.close($0) } } }
        // Each shall have the number that the other one has here.
        let (one, other) = (pairs[0].1, pairs[1].1)
        try #require(one > 2 && other > 2)
        let script = "echo one >&\(other); echo other >&\(one)"
        let process = try Self.shell(script) {
            // The plain shell knows descriptors of one digit.
            $0.program = "/bin/bash"
            $0.descriptors = [other: one, one: other]
        }
        #expect(await Self.end(process) == .exited(0))
        let texts = try pairs.map { try #require(Descriptor.read($0.0)) }
        #expect(texts.map { String(decoding: $0, as: UTF8.self) } == ["one\n", "other\n"])
    }

    @Test("begin with no signal blocked or ignored, in a group of their own")
    func cleanState() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        defer { [ours, theirs].forEach { Descriptor.close($0) } }
        let process = try Self.shell("grep -E 'SigBlk|SigIgn' /proc/self/status; ps -o pgid= $$") {
            $0.descriptors = [1: theirs]
        }
        #expect(await Self.end(process) == .exited(0))
        let text = String(decoding: try #require(Descriptor.read(ours)), as: UTF8.self)
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        // 32 and 33 are glibc's own, which it lets nobody change.
        let own = 0x1_8000_0000
        for place in [1, 3] {
            let set = words.dropFirst(place).first.flatMap { Int($0, radix: 16) }
            #expect(set.map { $0 & ~own } == 0, "\(text)")
        }
        #expect(words.last == "\(process.id)")
    }
}

@Suite("Sockets of the file system")
struct UnixSocketTests {
    private static func path() -> String {
        NSTemporaryDirectory() + "socket-\(UInt32.random(in: 0...(.max)))"
    }

    @Test("are opened with their permissions, also where a dead one was left")
    func opening() throws {
        let path = Self.path()
        defer { unlink(path) }
        let first = try UnixSocket.listen(path, mode: 0o600)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(fcntl(first, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(first, F_GETFD) & FD_CLOEXEC != 0)
        Descriptor.close(first)
        let second = try UnixSocket.listen(path)
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o660)
        Descriptor.close(second)
    }

    @Test("are not taken from somebody who listens, but from one who let go of it")
    func taken() throws {
        let path = Self.path()
        defer { unlink(path) }
        let first = try UnixSocket.listen(path)
        do throws(SystemError) {
            _ = try UnixSocket.listen(path)
            Issue.record("a socket in use was taken")
        } catch { #expect(error.isAddressInUse) }
        Descriptor.replaceByNothing(first)
        #expect(SystemFile.target(ofLink: "/proc/self/fd/\(first)") == "/dev/null")
        Descriptor.close(try UnixSocket.listen(path))
        Descriptor.close(first)
    }

    @Test("take no file's place, and have no endless names")
    func refused() throws {
        let path = Self.path()
        try SystemFile.write(Array("precious".utf8), to: path, mode: 0o600)
        defer { unlink(path) }
        #expect(throws: SystemError.self) { try UnixSocket.listen(path) }
        #expect(try SystemFile.read(path, limit: 100) == Array("precious".utf8))
        let long = "/tmp/" + String(repeating: "a", count: 103)
        #expect(throws: SystemError.self) { try UnixSocket.listen(long) }
    }

    @Test("come in pairs that carry bytes without waiting, and tell their end")
    func pairs() throws {
        let (one, other) = try UnixSocket.pair()
        #expect(Descriptor.read(one) == [])
        #expect(Descriptor.write(other, [1, 2, 3]))
        #expect(Descriptor.read(one) == [1, 2, 3])
        // More than fits is refused instead of waited for, and nobody dies of a closed pair.
        #expect(!Descriptor.write(other, [UInt8](repeating: 0, count: 10_000_000)))
        Descriptor.close(one)
        #expect(!Descriptor.write(other, [1]))
        #expect(Descriptor.read(other) == nil)
        Descriptor.close(other)
    }

    @Test("are taken over from systemd only where it says so")
    func inherited() {
        #expect(UnixSocket.inherited() == nil)
    }
}

@Suite("Ports of this machine")
@LoopActor
struct LoopbackPortTests {
    @Test("are free until somebody listens, and free again after")
    func ports() throws {
        let port = try FreePort.find()
        #expect(LoopbackPort.isFree(port))
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(code == 0 && listen(listener, 1) == 0)
        #expect(!LoopbackPort.isFree(port))
        close(listener)
        #expect(LoopbackPort.isFree(port))
    }
}
