/// Bytes that arrive in pieces and leave as lines.
///
/// A piece that arrives when nothing is left is kept, not copied; each byte is looked at once.
struct LineBuffer: Sendable {
    /// Where a line ends.
    enum Ending: Sendable {
        /// LF, CR LF or CR, as event streams have it.
        case any
        /// LF alone; a CR before it belongs to the line.
        case lineFeed
    }

    private(set) var bytes: [UInt8] = []
    private var start = 0
    private var scanned = 0
    private var skipsLineFeed = false
    private let ending: Ending

    init(ending: Ending) {
        self.ending = ending
    }

    /// The bytes of the line that has not ended yet.
    var unfinished: Range<Int> { start..<bytes.count }

    mutating func append(_ piece: [UInt8]) {
        guard start < bytes.count else {
            bytes = piece
            start = 0
            scanned = 0
            return
        }
        if start > 0 { dropTaken() }
        bytes += piece
    }

    /// Gives back the memory of long lines that were taken. Their ranges no longer hold.
    mutating func shrink() {
        if start >= 1 << 16 { dropTaken() }
    }

    /// By a copy of the rest, since an array keeps the room that it once had.
    private mutating func dropTaken() {
        bytes = Array(bytes[start...])
        scanned -= start
        start = 0
    }

    /// Drops a byte order mark at the very beginning; `false` while that cannot be told yet.
    mutating func skipByteOrderMark() -> Bool {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let begin = bytes.prefix(3)
        guard mark.starts(with: begin) else { return true }
        guard begin.count == 3 else { return false }
        start = 3
        scanned = 3
        return true
    }

    /// The next whole line without its ending, as a range of `bytes` that holds until `append`.
    mutating func next() -> Range<Int>? {
        if skipsLineFeed, scanned < bytes.count {
            if bytes[scanned] == 0x0A { start += 1 }
            scanned = start
            skipsLineFeed = false
        }
        guard let end = lineEnd() else {
            scanned = bytes.count
            return nil
        }
        let line = start..<end
        skipsLineFeed = bytes[end] == 0x0D
        start = end + 1
        scanned = start
        return line
    }

    private func lineEnd() -> Int? {
        switch ending {
        case .any: firstLineEnd(in: bytes.span, from: scanned)
        case .lineFeed: bytes[scanned...].firstIndex(of: 0x0A)
        }
    }
}
