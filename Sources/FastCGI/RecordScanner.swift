/// Follows the records of one FastCGI request (specification 1.0, section 3.3) far enough to know which bytes belong
/// to it and where the last, empty `FCGI_STDIN` begins. It builds nothing: libfcgi parses the same bytes afterwards.
///
/// The last record is never consumed. While its eight bytes lie unread in the socket, the kernel resets the
/// connection when this process dies, and the web server breaks the client's reply instead of ending it as if it were
/// complete.
package struct RecordScanner: Sendable {
    /// Why a connection is not served.
    package enum Refusal: Error, Sendable {
        /// Not FastCGI 1.0, or not in the order of section 5.
        case protocolError(String)
        /// The web server gave the request up (`FCGI_ABORT_REQUEST`).
        case aborted
        /// The parameters are larger than `parameterLimit`.
        case parametersTooLarge
    }

    private enum Phase {
        case begin, parameters, body, complete
    }

    private enum Kind: UInt8 {
        case begin = 1
        case abort = 2
        case parameters = 4
        case stdin = 5
    }

    private static let headerLength = 8

    private let parameterLimit: Int
    private var phase = Phase.begin
    private var requestID: UInt16 = 0
    /// What of the current record is still to come.
    private var pending = (content: 0, padding: 0)
    private var kind = Kind.begin
    private var parameterBytes = 0
    private var pairs: PairScanner

    /// Bytes of the body seen so far, without framing.
    package private(set) var bodyLength = 0
    /// True once all that precedes the last record was consumed.
    package var isComplete: Bool { phase == .complete }
    /// True once all parameters were consumed.
    package var hasParameters: Bool { phase == .body || phase == .complete }

    /// A scanner at the start of a connection. `parameterLimit` counts the content of all `FCGI_PARAMS` records.
    package init(parameterLimit: Int = 256 * 1024) {
        self.parameterLimit = parameterLimit
        pairs = PairScanner(limit: parameterLimit)
    }

    /// Looks at bytes that continue the connection and returns how many of them may be taken from it. The rest, less
    /// than a header or the last record, must be offered again.
    package mutating func scan(_ bytes: Span<UInt8>) throws(Refusal) -> Int {
        var position = 0
        while phase != .complete {
            let content = min(pending.content, bytes.count - position)
            if kind == .parameters {
                try pairs.scan(bytes.extracting(position..<position + content))
            }
            pending.content -= content
            position += content
            let padding = min(pending.padding, bytes.count - position)
            pending.padding -= padding
            position += padding
            guard pending == (0, 0), bytes.count - position >= Self.headerLength else { break }
            guard try enter(bytes, at: position) else { break }
            position += Self.headerLength
        }
        return position
    }

    /// Reads the header at `start`. False when it is that of the last record.
    private mutating func enter(_ bytes: Span<UInt8>, at start: Int) throws(Refusal) -> Bool {
        guard bytes[start] == 1 else { throw .protocolError("version \(bytes[start])") }
        guard let kind = Kind(rawValue: bytes[start + 1]) else {
            throw .protocolError("record type \(bytes[start + 1])")
        }
        let id = UInt16(bytes[start + 2]) << 8 | UInt16(bytes[start + 3])
        let length = Int(bytes[start + 4]) << 8 | Int(bytes[start + 5])
        // libfcgi skips padding only behind the content of a stream. Elsewhere it would read the padding as records,
        // and so another request than this one.
        let padding = Int(bytes[start + 6])
        guard phase == .begin || id == requestID else {
            throw .protocolError("several requests on one connection")
        }
        switch (phase, kind) {
        case (.begin, .begin):
            guard id != 0, length == 8, padding == 0 else {
                throw .protocolError("malformed begin")
            }
            requestID = id
            phase = .parameters
        case (.parameters, .parameters):
            parameterBytes += length
            guard parameterBytes <= parameterLimit else { throw .parametersTooLarge }
            if length == 0 {
                guard pairs.isWhole, padding == 0 else {
                    throw .protocolError("truncated parameters")
                }
                phase = .body
            }
        case (.body, .stdin):
            if length == 0 {
                phase = .complete
                return false
            }
            bodyLength += length
        case (_, .abort):
            throw .aborted
        default:
            throw .protocolError("record type \(kind.rawValue) out of order")
        }
        self.kind = kind
        pending = (length, padding)
        return true
    }
}
