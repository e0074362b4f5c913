internal import EventLoop
internal import System

/// The process that writes a spool file: takes frames from a worker, puts them onto the disk, and says so. It may wait
/// for the disk as long as that takes. Ends with its worker.
enum SpoolWriter {
    /// Descriptor 0: the worker.
    static let channel: Int32 = 0
    /// What it says of each frame.
    static let kept = UInt8(ascii: "k")
    private static let refused = UInt8(ascii: "r")

    static func run(_ arguments: Arguments) throws -> Int32 {
        Host.setName("archway-spool")
        let path = try arguments.require("file")
        guard let file = try SystemFile.lockedForAppending(path, mode: 0o600) else { return 1 }
        try SystemFile.syncFolder(of: path)
        var rest: [UInt8] = []
        while let piece = Descriptor.readWaiting(channel) {
            rest += piece
            let lengths = frameLengths(rest)
            guard !lengths.isEmpty else { continue }
            let whole = lengths.reduce(0, +)
            let word = SystemFile.append(rest[..<whole], to: file) ? kept : refused
            rest.removeFirst(whole)
            guard Descriptor.write(channel, lengths.map { _ in word }) else { return 1 }
        }
        return 0
    }

    /// The lengths of the frames that are whole.
    private static func frameLengths(_ bytes: [UInt8]) -> [Int] {
        var lengths: [Int] = []
        var rest = bytes[...]
        while let length = SpoolFrame.frameLength(rest), rest.count >= length {
            lengths.append(length)
            rest = rest.dropFirst(length)
        }
        return lengths
    }
}
