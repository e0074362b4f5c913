/// The place of the first CR or LF at or after `start`: eight bytes a step, as every chunk of every
/// stream is searched.
func firstLineEnd(in bytes: Span<UInt8>, from start: Int) -> Int? {
    var index = start
    while index + 8 <= bytes.count, !hasLineEnd(word(bytes.extracting(index..<index + 8))) {
        index += 8
    }
    while index < bytes.count {
        let byte = bytes[index]
        if byte == 0x0A || byte == 0x0D { return index }
        index += 1
    }
    return nil
}

/// Eight bytes as one number; the compiler makes one load of it.
@inline(__always)
private func word(_ bytes: Span<UInt8>) -> UInt64 {
    let low =
        UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16 | UInt64(bytes[3]) << 24
    let high =
        UInt64(bytes[4]) << 32 | UInt64(bytes[5]) << 40 | UInt64(bytes[6]) << 48
        | UInt64(bytes[7]) << 56
    return low | high
}

@inline(__always)
private func hasLineEnd(_ word: UInt64) -> Bool {
    hasZero(word ^ 0x0A0A_0A0A_0A0A_0A0A) || hasZero(word ^ 0x0D0D_0D0D_0D0D_0D0D)
}

/// Whether one of the eight bytes is 0.
@inline(__always)
private func hasZero(_ word: UInt64) -> Bool {
    (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0
}
