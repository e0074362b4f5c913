internal import Markdown

/// Cuts a text into passages: whole blocks under one heading, together as long as they are short; only what is far
/// too long is cut inside, where a line, a sentence or at least a word ends.
struct PassageCutter {
    /// A piece that can be quoted; its text is exactly these bytes of the document.
    struct Passage: Sendable, Equatable {
        var headings: [String]
        var bytes: Range<Int>
        /// The same in characters (Unicode scalars).
        var span: Range<Int>
        /// The lines that opened the code or the table in whose middle the passage begins.
        var opening: String?
    }

    /// Characters that a passage should have.
    var target = 900
    /// A block up to this length stays whole.
    var longest = 1350
    /// Bytes of an opening that is worth its place beside the passage.
    var longestOpening = 500

    /// The passages of a document, in order.
    func passages(of document: DocumentText) -> [Passage] {
        let text = document.utf8
        var pieces: [DocumentText.Block] = []
        for block in document.blocks {
            for bytes in split(block.bytes, of: document) {
                append(.init(headings: block.headings, bytes: bytes), to: &pieces, of: text)
            }
        }
        return numbered(pieces, in: document)
    }

    private func append(
        _ piece: DocumentText.Block, to pieces: inout [DocumentText.Block], of text: [UInt8]
    ) {
        guard let last = pieces.last, last.headings == piece.headings,
            text[last.bytes.lowerBound..<piece.bytes.upperBound].scalarCount <= target
        else { return pieces.append(piece) }
        pieces[pieces.count - 1].bytes = last.bytes.lowerBound..<piece.bytes.upperBound
    }

    /// Counts the characters before each piece, once over the whole text.
    private func numbered(_ pieces: [DocumentText.Block], in document: DocumentText) -> [Passage] {
        let text = document.utf8
        var position = 0
        var count = 0
        var enclosures = document.enclosures[...]
        return pieces.map { piece in
            let start = count + text[position..<piece.bytes.lowerBound].scalarCount
            let end = start + text[piece.bytes].scalarCount
            position = piece.bytes.upperBound
            count = end
            enclosures = enclosures.drop { $0.bytes.upperBound <= piece.bytes.lowerBound }
            let around = enclosures.first.flatMap {
                $0.bytes.contains(piece.bytes.lowerBound) ? $0.opening : nil
            }
            return Passage(
                headings: piece.headings, bytes: piece.bytes, span: start..<end,
                opening: around.flatMap { $0.count <= longestOpening ? document.text($0) : nil })
        }
    }

    private func split(_ bytes: Range<Int>, of document: DocumentText) -> [Range<Int>] {
        let text = document.utf8
        var result: [Range<Int>] = []
        var rest = bytes
        while text[rest].scalarCount(upTo: longest + 1) > longest {
            let cut = cut(rest, of: document)
            result.append(trimmed(rest.lowerBound..<cut, of: text))
            rest = trimmed(cut..<rest.upperBound, of: text)
        }
        result.append(rest)
        return result.filter { !$0.isEmpty }
    }

    /// Where to cut, best in the second half of the target: after a line of code, a row of a table or an item of a
    /// list; else after a sentence, any line, a word.
    private func cut(_ bytes: Range<Int>, of document: DocumentText) -> Int {
        let text = document.utf8
        let half = text.index(bytes.lowerBound, scalars: target / 2)
        let limit = text.index(half, scalars: target - target / 2)
        let end = text.index(limit, scalars: longest - target)
        func units(_ range: Range<Int>) -> [Int] { range.filter(document.endsUnit) }
        if let unit = units(half..<limit).last { return unit }
        let window = text[half..<limit]
        let sentence = window.indices.dropFirst().last { index in
            ASCII.isBlank(text[index]) && ".!?:;".utf8.contains(text[index - 1])
                && !document.isEnclosed(index)
        }
        return sentence ?? units(limit..<end).first ?? units(bytes.lowerBound..<half).last
            ?? window.lastIndex(of: ASCII.lineFeed) ?? window.lastIndex(where: ASCII.isBlank)
            ?? limit
    }

    private func trimmed(_ bytes: Range<Int>, of text: [UInt8]) -> Range<Int> {
        let start = text[bytes].firstIndex { !ASCII.isBlank($0) } ?? bytes.upperBound
        let end = text[start..<bytes.upperBound].lastIndex { !ASCII.isBlank($0) }
        return start..<((end ?? start - 1) + 1)
    }
}

extension DocumentText {
    /// Whether a line ends here after which a cut takes nothing apart.
    fileprivate func endsUnit(_ index: Int) -> Bool {
        guard utf8[index] == ASCII.lineFeed else { return false }
        let next = utf8[(index + 1)...].prefix(80).drop(while: ASCII.isBlank)
        return isEnclosed(index) || ListMark.read(next) != nil
    }

    /// Whether a place stands in code or among the rows of a table.
    fileprivate func isEnclosed(_ index: Int) -> Bool {
        var low = 0
        var high = enclosures.count
        while low < high {
            let middle = (low + high) / 2
            if enclosures[middle].bytes.upperBound <= index {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < enclosures.count && enclosures[low].bytes.dropFirst().contains(index)
    }
}

extension UInt8 {
    /// The first byte of a character in UTF-8.
    fileprivate var startsScalar: Bool { self & 0xC0 != 0x80 }
}

extension ArraySlice<UInt8> {
    fileprivate var scalarCount: Int { reduce(0) { $0 + ($1.startsScalar ? 1 : 0) } }

    /// As `scalarCount`, but counting no further than `limit`.
    fileprivate func scalarCount(upTo limit: Int) -> Int {
        var count = 0
        for byte in self where byte.startsScalar {
            count += 1
            if count >= limit { break }
        }
        return count
    }
}

extension [UInt8] {
    /// The index so many characters after `start`, or the end.
    fileprivate func index(_ start: Int, scalars: Int) -> Int {
        var index = start
        for _ in 0..<scalars where index < count {
            index += 1
            while index < count, !self[index].startsScalar { index += 1 }
        }
        return index
    }
}
