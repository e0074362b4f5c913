internal import CLinux
internal import EventLoop

/// A file without a name (`memfd_create`), for requests of any size.
@LoopActor
final class MemoryFile: RecordStore {
    private(set) var descriptor: Int32
    private var length = 0

    init() throws(SystemError) {
        descriptor = unsafe memfd_create("fastcgi", UInt32(MFD_CLOEXEC))
        guard descriptor >= 0 else { throw .last("memfd_create") }
    }

    isolated deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func append(_ bytes: [UInt8], count: Int) throws(SystemError) {
        var written = 0
        while written < count {
            let result = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(
                    descriptor, buffer.baseAddress.map { unsafe $0 + written }, count - written,
                    off_t(length))
            }
            guard result > 0 else { throw .last("pwrite") }
            written += result
            length += result
        }
    }

    func rewind() {
        lseek(descriptor, 0, SEEK_SET)
    }

    func clear() {
        guard length > 0 else { return }
        ftruncate(descriptor, 0)
        length = 0
    }

    func forfeit() {
        descriptor = -1
    }
}
