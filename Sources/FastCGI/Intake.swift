internal import CLinux
internal import EventLoop

/// Collects the records of one request from a connection, without blocking and without taking its last record.
@LoopActor
final class Intake {
    enum Progress {
        case complete, waiting, more, refused
    }

    /// Shared by all connections: small requests, nearly all, are collected and parsed before anything else happens.
    private static var shared: RecordPipe?
    private static var scratch = [UInt8](repeating: 0, count: 64 * 1024)
    /// Pieces taken in a row before other events have their turn.
    private static let batch = 16

    private let descriptor: Int32
    private let bodyLimit: Int
    private var scanner = RecordScanner()
    private var store: (any RecordStore)?
    private(set) var exceedsBodyLimit = false

    /// Bytes of body that were collected.
    var bodyLength: Int { exceedsBodyLimit ? 0 : scanner.bodyLength }

    init(_ descriptor: Int32, bodyLimit: Int) {
        self.descriptor = descriptor
        self.bodyLimit = bodyLimit
    }

    /// Takes what there is.
    func advance() -> Progress {
        for _ in 0..<Self.batch {
            let peeked = receive(Self.scratch.count, flags: Int32(MSG_PEEK))
            guard peeked > 0 else { return peeked == 0 ? .refused : .waiting }
            let hadParameters = scanner.hasParameters
            guard let taken = try? scanner.scan(Self.scratch.span.extracting(0..<peeked)) else {
                return .refused
            }
            guard taken == 0 || (receive(taken, flags: 0) == taken && keep(taken, hadParameters))
            else {
                return .refused
            }
            if scanner.isComplete { return .complete }
            // After a full look there may be more behind an unfinished header, and no event would tell of it.
            if taken < peeked, peeked < Self.scratch.count { return .waiting }
        }
        return .more
    }

    /// All that was collected, to be read from its start, or nil without memory for it.
    func recorded() -> (any RecordStore)? {
        store?.rewind()
        return store
    }

    /// Empties the store for its next user.
    func release() {
        store?.clear()
        if store?.descriptor == -1, store === Self.shared { Self.shared = nil }
        store = nil
    }

    /// Takes the last record from the socket. Only after the reply's end was sent. Whoever goes on sending for ever
    /// is left with a reset.
    func discardRest() {
        var rounds = Self.batch
        while rounds > 0, receive(Self.scratch.count, flags: 0) == Self.scratch.count {
            rounds -= 1
        }
    }

    /// Of a body that is too large nothing is kept, but it is read to its end: the web server reads no reply before
    /// it has sent all.
    private func keep(_ count: Int, _ hadParameters: Bool) -> Bool {
        if scanner.bodyLength > bodyLimit { exceedsBodyLimit = true }
        if exceedsBodyLimit && hadParameters { return true }
        do {
            if store == nil { store = try newStore(for: count) }
            try store?.append(Self.scratch, count: count)
            return true
        } catch {
            // What went into the pipe must not meet the next request.
            if store === Self.shared { Self.shared = nil }
            return false
        }
    }

    private func newStore(for count: Int) throws(SystemError) -> any RecordStore {
        guard scanner.isComplete, count <= RecordPipe.capacity else { return try MemoryFile() }
        if let shared = Self.shared { return shared }
        let pipe = try RecordPipe()
        Self.shared = pipe
        return pipe
    }

    /// `recv` without waiting. −1 also when there is nothing yet.
    private func receive(_ count: Int, flags: Int32) -> Int {
        unsafe Self.scratch.withUnsafeMutableBytes { buffer in
            unsafe recv(
                descriptor, buffer.baseAddress, min(count, buffer.count),
                flags | Int32(MSG_DONTWAIT))
        }
    }
}
