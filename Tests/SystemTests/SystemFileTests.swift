import EventLoop
import Foundation
import System
import Testing

@Suite("Files")
final class SystemFileTests {
    private let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "system-\(UUID().uuidString)"
        try SystemFile.makeFolder(folder, mode: 0o700)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test("are read whole, up to a limit")
    func reading() throws {
        let path = folder + "/a"
        for size in [0, 1, 65_536, 200_000] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            try SystemFile.write(bytes, to: path, mode: 0o600)
            #expect(try SystemFile.read(path, limit: 200_000) == bytes)
            #expect(try SystemFile.read(path, limit: size) == bytes)
            guard size > 0 else { continue }
            #expect(throws: SystemError.self) { try SystemFile.read(path, limit: size - 1) }
        }
        #expect(throws: SystemError.self) { try SystemFile.read(self.folder + "/none", limit: 1) }
        #expect(throws: SystemError.self) { try SystemFile.read(self.folder, limit: 1) }
    }

    @Test("are replaced at once, with their mode, and leave nothing beside them")
    func writing() throws {
        let path = folder + "/secret"
        try SystemFile.write(Array("one".utf8), to: path, mode: 0o600)
        let reader = try #require(FileHandle(forReadingAtPath: path))
        try SystemFile.write(Array("two".utf8), to: path, mode: 0o640)
        #expect(try reader.readToEnd() == Data("one".utf8))
        #expect(try SystemFile.read(path, limit: 10) == Array("two".utf8))
        #expect(try mode(path) == 0o640)
        // What a dead writer left, even if it leads elsewhere, is not written through.
        try FileManager.default.createSymbolicLink(
            atPath: path + ".new", withDestinationPath: folder + "/victim")
        try SystemFile.write(Array("three".utf8), to: path, mode: 0o600)
        #expect(SystemFile.names(in: folder) == ["secret"])
        #expect(throws: SystemError.self) {
            try SystemFile.write([], to: self.folder + "/no/where", mode: 0o600)
        }
    }

    @Test("are appended to and emptied")
    func handles() throws {
        let path = folder + "/log"
        for text in ["a", "b"] {
            let handle = try SystemFile.appending(to: path, mode: 0o600)
            #expect(write(handle.descriptor, text, 1) == 1)
            #expect(fcntl(handle.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        }
        #expect(try SystemFile.read(path, limit: 10) == Array("ab".utf8))
        _ = try SystemFile.emptied(path, mode: 0o600)
        #expect(try SystemFile.read(path, limit: 10).isEmpty)
        #expect(try mode(path) == 0o600)
    }

    @Test("are locked by one at a time, until he lets go")
    func locking() throws {
        let path = folder + "/lock"
        var first = try SystemFile.locked(path)
        #expect(first != nil)
        #expect(try SystemFile.locked(path) == nil)
        first = nil
        #expect(try SystemFile.locked(path) != nil)
    }

    @Test("are locked before anybody can find them, and until their maker lets go")
    func createdLocked() throws {
        let path = folder + "/life"
        // What a maker left that died in the middle.
        try SystemFile.write([], to: path + ".new", mode: 0o600)
        var made: SystemFile.Handle? = try SystemFile.createLocked(path, mode: 0o600)
        #expect(SystemFile.names(in: folder) == ["life"])
        #expect(made.flatMap { SystemFile.identity(of: $0) } == SystemFile.identity(path))
        #expect(try SystemFile.lockedIfThere(path) == nil)
        made = nil
        #expect(try SystemFile.lockedIfThere(path) != nil)
        #expect(throws: SystemError.self) {
            try SystemFile.createLocked(self.folder + "/no/where", mode: 0o600)
        }
    }

    @Test("have a kind, an identity and a name without detours")
    func kinds() throws {
        let (file, link, pipe) = (folder + "/file", folder + "/link", folder + "/pipe")
        try SystemFile.write([], to: file, mode: 0o600)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "file")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(try SystemFile.kind(file) == .file)
        #expect(try SystemFile.kind(folder) == .folder)
        #expect(try SystemFile.kind(link) == .link)
        #expect(try SystemFile.kind(pipe) == .other)
        #expect(throws: SystemError.self) { try SystemFile.kind(self.folder + "/none") }
        #expect(SystemFile.identity(link) == SystemFile.identity(file))
        #expect(SystemFile.identity(file) != SystemFile.identity(folder))
        #expect(SystemFile.identity(folder + "/none") == nil)
        #expect(SystemFile.target(ofLink: link) == "file")
        #expect(SystemFile.target(ofLink: file) == nil)
        #expect(try SystemFile.resolved(folder + "/./link") == SystemFile.resolved(file))
        #expect(SystemFile.isFolder(folder) && !SystemFile.isFolder(file))
        #expect(SystemFile.names(in: folder) == ["file", "link", "pipe"])
        #expect(SystemFile.names(in: file).isEmpty)
        #expect(SystemFile.isExecutable("/bin/sh"))
        #expect(!SystemFile.isExecutable(file) && !SystemFile.isExecutable(folder))
        SystemFile.remove(file)
        SystemFile.remove(file)
        #expect(SystemFile.identity(file) == nil)
    }

    @Test("make folders once, and no folder where a file is")
    func folders() throws {
        let path = folder + "/sub"
        try SystemFile.makeFolder(path, mode: 0o750)
        try SystemFile.makeFolder(path, mode: 0o700)
        #expect(try mode(path) == 0o750)
        try SystemFile.write([], to: folder + "/file", mode: 0o600)
        #expect(throws: SystemError.self) {
            try SystemFile.makeFolder(self.folder + "/file", mode: 0o700)
        }
        #expect(throws: SystemError.self) {
            try SystemFile.makeFolder(self.folder + "/a/b", mode: 0o700)
        }
    }
}

@Suite("The machine")
struct HostTests {
    @Test("has processors, a process with a parent, threads and descriptors")
    func figures() {
        #expect(Host.processors >= 1)
        #expect(Host.processID == getpid() && Host.parentID == getppid())
        #expect(Host.threads >= 1)
        #expect(Host.raiseDescriptorLimit() >= 256)
        #expect(Host.isRoot == (geteuid() == 0))
        #expect(SystemFile.environmentVariable("PATH") != nil)
        #expect(SystemFile.environmentVariable("ARCHWAY_NO_SUCH_VARIABLE") == nil)
        #expect(SystemFile.currentFolder == FileManager.default.currentDirectoryPath)
    }

    @Test("knows its users")
    func users() {
        #expect(SystemUser.named("root")?.id == 0)
        #expect(SystemUser.named("no-such-user-here") == nil)
        #expect(SystemUser.current.id == geteuid())
        #expect(SystemUser.owner(of: "/")?.name == "root")
        #expect(SystemUser.owner(of: "/no/such/file") == nil)
    }
}
