extension Grammar {
    /// Offset of the first byte from `start` on that a string cannot hold as it is and be done with:
    /// a quote, a backslash, a control character or anything beyond ASCII.
    ///
    /// Eight bytes a step, because images and documents come as strings of megabytes.
    @inline(__always)
    static func afterPlainText(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var offset = start
        while offset &+ 8 <= bytes.count {
            let found = special(eight(bytes, at: offset))
            if found != 0 { return offset &+ found.trailingZeroBitCount >> 3 }
            offset &+= 8
        }
        while offset < bytes.count, bytes[offset].isPlain { offset &+= 1 }
        return offset
    }

    /// The top bit of each byte that is not plain. A borrow may also mark bytes above such a byte,
    /// never one below: only the lowest mark counts.
    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        let quotes = word ^ (ones &* UInt64(UInt8.quote))
        let backslashes = word ^ (ones &* UInt64(UInt8.backslash))
        let isQuote = (quotes &- ones) & ~quotes
        let isBackslash = (backslashes &- ones) & ~backslashes
        let isControl = (word &- ones &* 0x20) & ~word
        return (isQuote | isBackslash | isControl | word) & tops
    }

    /// Eight bytes, the first one lowest. The caller has checked that they are there, and the load
    /// checks it again; it is called unsafe only because it could load a type that is not plain bits.
    @inline(__always)
    static func eight(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        unsafe UInt64(
            littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
