import EventLoop
import Glibc

@testable import FastCGI

/// Everything between a connection and a request: the scanner, the collection through a real socket, and libfcgi. The
/// first byte decides how the bytes are cut into pieces.
package enum RecordsTarget {
    private static let bodyLimit = 64

    static func fault(in input: [UInt8]) -> String? {
        guard let seed = input.first else { return nil }
        let bytes = Array(input.dropFirst())
        let expected = ReferenceRecords(bytes)
        for cut in [[bytes[...]], cuts(bytes, seed)] {
            let scanned = scan(cut)
            guard scanned.matches(expected) else { return "scanned \(scanned), \(expected)" }
            let taken = assumeOnLoop { take(cut) }
            guard taken.matches(expected) else { return "taken \(taken), \(expected)" }
        }
        return nil
    }

    /// Grows when a descriptor is forgotten.
    package static func lowestFreeDescriptor() -> Int32 {
        let descriptor = dup(0)
        close(descriptor)
        return descriptor
    }

    private static func cuts(_ bytes: [UInt8], _ seed: UInt8) -> [ArraySlice<UInt8>] {
        var pieces = Pieces(bytes[...], seed: seed)
        var cuts: [ArraySlice<UInt8>] = []
        while let piece = pieces.next() { cuts.append(piece) }
        return cuts
    }

    private enum Outcome {
        case refused, unfinished
        case scanned(end: Int, bodyLength: Int)
        case taken(parameters: [String], body: [UInt8]?, end: Int)

        func matches(_ expected: ReferenceRecords) -> Bool {
            switch (self, expected) {
            case (.refused, .refused), (.unfinished, .unfinished): true
            // libfcgi knows the role, the scanner does not.
            case (.refused, .request(let request, _)): request.role != 1
            case (.scanned(let end, let length), .request(let request, let expectedEnd)):
                end == expectedEnd && length == request.body.count
            case (.taken(let parameters, let body, let taken), .request(let request, let end)):
                request.role == 1 && parameters == request.parameters && taken == end
                    && body == (request.body.count > bodyLimit ? nil : request.body)
            default: false
            }
        }
    }

    /// Offers the pieces as a socket would: what was not taken comes again.
    private static func scan(_ pieces: [ArraySlice<UInt8>]) -> Outcome {
        var scanner = RecordScanner()
        var offered: [UInt8] = []
        var end = 0
        for piece in pieces where !scanner.isComplete {
            offered += piece
            guard let taken = try? scanner.scan(offered.span) else { return .refused }
            offered.removeFirst(taken)
            end += taken
        }
        return scanner.isComplete ? .scanned(end: end, bodyLength: scanner.bodyLength) : .unfinished
    }

    /// Sends the pieces through a socket and takes the request out of it.
    @LoopActor
    private static func take(_ pieces: [ArraySlice<UInt8>]) -> Outcome {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { return .unfinished }
        defer { for end in ends { close(end) } }
        let intake = Intake(ends[0], bodyLimit: bodyLimit)
        defer { intake.release() }
        for (index, piece) in pieces.enumerated() {
            _ = piece.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
            var progress = intake.advance()
            while case .more = progress { progress = intake.advance() }
            switch progress {
            case .refused: return .refused
            case .complete:
                for late in pieces[(index + 1)...] {
                    _ = late.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
                }
                return request(intake, ends[0], sent: pieces.reduce(0) { $0 + $1.count })
            case .waiting, .more: break
            }
        }
        return .unfinished
    }

    @LoopActor
    private static func request(_ intake: Intake, _ connection: Int32, sent: Int) -> Outcome {
        let isOverLimit = intake.exceedsBodyLimit
        guard let fastCGI = LibFCGIRequest(intake) else { return .refused }
        let body = fastCGI.takeBody(of: intake, connecting: connection)
        var unread = [UInt8](repeating: 0, count: sent)
        let end = sent - max(0, recv(connection, &unread, sent, 0))
        let parameters = fastCGI.takeParameters().map { name, value in "\(name)=\(value)" }
        return .taken(
            // libfcgi puts the role before all others.
            parameters: Array(parameters.dropFirst()), body: isOverLimit ? nil : body, end: end)
    }
}
