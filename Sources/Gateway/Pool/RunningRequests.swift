internal import EventLoop
internal import FastCGI
internal import System

/// Which requests a worker has under way, in memory that outlives the worker: when it has died, the master reads there
/// which of them it may have been. Each has a place with the moment at which its code last began to run; the one that
/// ran last is the likeliest.
@LoopActor
final class RunningRequests: RequestRegister {
    /// Requests that find a place. More than that run unnamed.
    private static let places = 4096
    /// Words of an id: 64 bytes.
    private static let wordsOfID = 8
    /// A moment, then the id.
    private static let width = 1 + wordsOfID
    /// Words of the memory.
    static let size = places * width

    private let words: SharedWords
    /// The last is taken next: few places are ever used, and as little memory.
    private var free = Array((0..<places).reversed())
    /// Counts the moments.
    private var moment: UInt64 = 0

    init(_ words: SharedWords) {
        self.words = words
    }

    func began(_ id: String) -> Int? {
        guard let place = free.popLast() else { return nil }
        name(place, id)
        works(place)
        return place
    }

    func name(_ place: Int, _ id: String) {
        var bytes = id.utf8.makeIterator()
        for index in 1...Self.wordsOfID {
            var word: UInt64 = 0
            for _ in 0..<8 { word = word << 8 | UInt64(bytes.next() ?? 0) }
            store(word, at: place * Self.width + index)
        }
    }

    func works(_ place: Int) {
        moment += 1
        store(moment, at: place * Self.width)
    }

    func ended(_ place: Int) {
        store(0, at: place * Self.width)
        free.append(place)
    }

    private func store(_ word: UInt64, at index: Int) {
        words.write(index, word)
    }

    /// The ids in these words, the likeliest first.
    static func ids(in words: SharedWords) -> [String] {
        var found: [(moment: UInt64, id: String)] = []
        for start in stride(from: 0, to: size, by: width) where words[start] > 0 {
            let id = (1...wordsOfID).flatMap { index in
                (0..<8).map { UInt8(truncatingIfNeeded: words[start + index] >> (56 - 8 * $0)) }
            }
            found.append((words[start], String(decoding: id.prefix { $0 != 0 }, as: UTF8.self)))
        }
        return found.sorted { $0.moment > $1.moment }.map(\.id)
    }
}
