package import EventLoop
internal import Glibc

// What a file needs whose contents must survive a crash of the machine. These calls wait for the disk.

extension SystemFile {
    /// A file to append to, made if need be, and locked (`flock`) so that others see that it has an author; nil if
    /// somebody else has the lock. `O_APPEND`.
    package static func lockedForAppending(
        _ path: String, mode: UInt32
    ) throws(SystemError) -> Handle? {
        while true {
            let handle = try appending(to: path, mode: mode)
            guard flock(handle.descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
            // Between the two calls somebody may have taken the empty file for a dead author's.
            if identity(path) == identity(of: handle) { return handle }
        }
    }

    /// A new, empty file in the place of whatever `path` was, locked (`flock`) before it has that name: nobody finds it
    /// there unlocked as long as the handle lives.
    package static func createLocked(_ path: String, mode: UInt32) throws(SystemError) -> Handle {
        let draft = path + ".new"
        remove(draft)
        let handle = try appending(to: draft, mode: mode)
        guard flock(handle.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw .last("flock \(draft)")
        }
        try rename(draft, to: path)
        return handle
    }

    /// A file that is there, to be read, locked (`flock`); nil if it is not there, or somebody else has the lock.
    package static func lockedIfThere(_ path: String) throws(SystemError) -> Handle? {
        guard let handle = try? reading(path) else { return nil }
        guard flock(handle.descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
        return identity(path) == identity(of: handle) ? handle : nil
    }

    /// Appends bytes and waits until they are on the disk (`write`, `fdatasync`). False: none of them is in the file,
    /// which has its former length (`ftruncate`).
    package static func append(_ bytes: ArraySlice<UInt8>, to file: Handle) -> Bool {
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0 else { return false }
        var rest = bytes
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(file.descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        if rest.isEmpty, fdatasync(file.descriptor) == 0 { return true }
        _ = ftruncate(file.descriptor, status.st_size)
        return false
    }

    /// Up to `count` bytes from an offset (`pread`); none at the end, or if it cannot be read.
    package static func read(_ file: Handle, at offset: Int, count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
            let got = unsafe pread(file.descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            filled = max(0, got)
        }
    }

    /// Makes sure that a new file's name is on the disk (`fsync` of its folder).
    package static func syncFolder(of path: String) throws(SystemError) {
        let end = path.lastIndex(of: "/") ?? path.startIndex
        let folder = try folder(end == path.startIndex ? "/" : String(path[..<end]))
        guard fsync(folder.descriptor) == 0 else { throw .last("fsync") }
    }

    /// Another name for a file (`link`).
    package static func link(_ path: String, as other: String) throws(SystemError) {
        guard unsafe Glibc.link(path, other) == 0 else { throw .last("link \(other)") }
    }

    /// The identity of an open file (`fstat`).
    package static func identity(of file: Handle) -> Identity? {
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }
}
