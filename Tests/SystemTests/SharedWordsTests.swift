import EventLoop
import System
import Testing

@Suite("Words that processes share")
@LoopActor
struct SharedWordsTests {
    @Test("are zero at first, and the same wherever they are mapped")
    func sharing() throws {
        let descriptor = try SharedWords.make(count: 3)
        let (one, other) = (
            try SharedWords(descriptor, count: 3), try SharedWords(descriptor, count: 2)
        )
        Descriptor.close(descriptor)
        #expect((0..<3).map { one[$0] } == [0, 0, 0])
        #expect(one.replace(1, 0, by: .max))
        #expect(other[1] == .max && other[0] == 0)
        #expect(!other.replace(1, 0, by: 7) && one[1] == .max)
        #expect(other.replace(1, .max, by: 7) && one[1] == 7)
    }

    @Test("are not there beyond their end")
    func bounds() throws {
        let descriptor = try SharedWords.make(count: 2)
        defer { Descriptor.close(descriptor) }
        let words = try SharedWords(descriptor, count: 2)
        for index in [-1, 2, .max] {
            #expect(words[index] == 0)
            #expect(!words.replace(index, 0, by: 1))
        }
        #expect(throws: SystemError.self) { try SharedWords(descriptor, count: 3) }
        #expect(throws: SystemError.self) { try SharedWords(-1, count: 1) }
    }
}
