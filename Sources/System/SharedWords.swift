internal import CLinux
package import EventLoop
internal import Glibc

/// Words of 64 bits that processes share: all zero at first, gone with the last process that has them. A word is read
/// and replaced as a whole; nothing holds between two words.
@safe @LoopActor
package final class SharedWords {
    /// How many there are.
    package let count: Int
    private let words: UnsafeMutablePointer<UInt64>

    /// Memory for so many words, as a descriptor to be handed on (`memfd_create`).
    package nonisolated static func make(count: Int) throws(SystemError) -> Int32 {
        let descriptor = unsafe memfd_create("archway", UInt32(MFD_CLOEXEC))
        guard descriptor >= 0 else { throw .last("memfd_create") }
        guard ftruncate(descriptor, off_t(bytes(count))) == 0 else {
            let error = SystemError.last("ftruncate")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// The words behind a descriptor that `make` gave for at least so many (`mmap`). They stay when it is closed.
    package init(_ descriptor: Int32, count: Int) throws(SystemError) {
        let size = lseek(descriptor, 0, SEEK_END)
        guard size >= 0 else { throw .last("lseek") }
        // Beyond its end each access would be a signal.
        guard size >= Self.bytes(count) else { throw SystemError(call: "mmap", code: EINVAL) }
        let address = unsafe mmap(
            nil, Self.bytes(count), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw .last("mmap")
        }
        unsafe words = address.bindMemory(to: UInt64.self, capacity: count)
        self.count = count
    }

    isolated deinit {
        unsafe munmap(words, Self.bytes(count))
    }

    /// A word as it is now; zero for an index that is not there.
    package subscript(_ index: Int) -> UInt64 {
        guard (0..<count).contains(index) else { return 0 }
        return unsafe read_shared_word(words + index)
    }

    /// Puts `wanted` in the place of `expected`; false, with nothing done, when that is not there any more.
    package func replace(_ index: Int, _ expected: UInt64, by wanted: UInt64) -> Bool {
        guard (0..<count).contains(index) else { return false }
        return unsafe replace_shared_word(words + index, expected, wanted)
    }

    /// Puts `wanted` there, whatever was there: for a word that nobody else writes.
    package func write(_ index: Int, _ wanted: UInt64) {
        guard (0..<count).contains(index) else { return }
        unsafe write_shared_word(words + index, wanted)
    }

    private nonisolated static func bytes(_ count: Int) -> Int {
        max(1, count) * MemoryLayout<UInt64>.size
    }
}
