internal import CLinux
internal import EventLoop

/// Carries the records of a small request to libfcgi, whose first `read` takes all of them. A pipe needs half the
/// system calls of a file, and keeps nothing of one request for the next.
@LoopActor
final class RecordPipe: RecordStore {
    /// libfcgi's buffer: more might stay behind in the pipe.
    static let capacity = 8192

    private(set) var descriptor: Int32
    private let writingEnd: Int32

    init() throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        // A reader that wants more than there is must fail, not wait.
        let result = unsafe withUnsafeMutableBytes(of: &ends) { buffer in
            unsafe pipe2(
                buffer.baseAddress?.assumingMemoryBound(to: Int32.self), O_CLOEXEC | O_NONBLOCK)
        }
        guard result == 0 else { throw .last("pipe2") }
        (descriptor, writingEnd) = ends
    }

    isolated deinit {
        if descriptor >= 0 { close(descriptor) }
        close(writingEnd)
    }

    func append(_ bytes: [UInt8], count: Int) throws(SystemError) {
        guard unsafe write(writingEnd, bytes, min(count, bytes.count)) == count else {
            throw .last("write")
        }
    }

    func rewind() {}

    func clear() {}

    func forfeit() {
        descriptor = -1
    }
}
