/// What a connection's bytes say by sections 3 and 5 of the FastCGI specification 1.0, for a server that takes one
/// request on it. Written apart from the program, over the whole connection at once.
enum ReferenceRecords: Equatable {
    case refused
    /// Nothing is wrong yet, and something is missing.
    case unfinished
    /// A whole request, and where its last, empty record begins.
    case request(ReferenceRequest, end: Int)

    init(_ bytes: [UInt8]) {
        var position = 0
        var id: Int?
        var parameters: [UInt8] = []
        var pairs: ReferencePairs?
        var request = ReferenceRequest()
        self = .unfinished
        while bytes.count - position >= 8 {
            let header = bytes[position..<position + 8].map { Int($0) }
            let length = header[4] << 8 | header[5]
            let content = bytes[(position + 8)...].prefix(length)
            self = .refused
            guard header[0] == 1, id ?? header[2] << 8 | header[3] == header[2] << 8 | header[3]
            else { return }
            switch (header[1], id) {
            case (1, nil):
                // Padding here is not wrong, nor is it below; both are refused because libfcgi reads it as records.
                guard header[2] | header[3] != 0, length == 8, header[6] == 0 else { return }
                id = header[2] << 8 | header[3]
                request.role = content.prefix(2).reduce(0) { $0 << 8 | Int($1) }
            case (4, .some) where pairs == nil:
                parameters += content
                let found = ReferencePairs(parameters)
                let total = parameters.count + length - content.count
                guard !found.isTooLong, total <= ReferencePairs.longest else { return }
                guard length == 0 else { break }
                guard found.isWhole, header[6] == 0 else { return }
                pairs = found
            case (5, .some) where pairs != nil:
                guard length > 0 else {
                    request.parameters = pairs?.pairs.compactMap(\.asEnvironment) ?? []
                    self = .request(request, end: position)
                    return
                }
                request.body += content
            default: return
            }
            self = .unfinished
            position += 8 + length + header[6]
        }
    }
}

/// A request as the records have it.
struct ReferenceRequest: Equatable {
    /// 1 is a responder.
    var role = 0
    /// `NAME=value`, as C and then Swift read it.
    var parameters: [String] = []
    var body: [UInt8] = []
}

/// Name-value pairs (section 3.4) as far as they go.
struct ReferencePairs {
    /// The most bytes that may be said of a name or a value, or come for all of them.
    static let longest = 256 * 1024

    struct Pair {
        var name: [UInt8]
        var value: [UInt8]

        /// What an environment of C strings keeps of it: all up to the first NUL, if there is a sign of equality.
        var asEnvironment: String? {
            let text = (name + [UInt8(ascii: "=")] + value).prefix { $0 != 0 }
            return text.contains(UInt8(ascii: "="))
                ? String(decoding: text, as: UTF8.self) : nil
        }
    }

    private(set) var pairs: [Pair] = []
    private(set) var isTooLong = false
    private(set) var isWhole = true

    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            isWhole = false
            guard let name = length(&rest), let value = length(&rest), rest.count >= name + value
            else { return }
            let end = rest.startIndex + name
            pairs.append(
                Pair(name: Array(rest[..<end]), value: Array(rest[end..<end + value])))
            rest = rest.dropFirst(name + value)
            isWhole = true
        }
    }

    /// One byte, or four of which the first has its highest bit set. Nil when there is none, or none to be believed.
    private mutating func length(_ rest: inout ArraySlice<UInt8>) -> Int? {
        guard let first = rest.first else { return nil }
        let size = first < 128 ? 1 : 4
        guard rest.count >= size else { return nil }
        let length = rest.prefix(size).dropFirst().reduce(Int(first & 127)) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(size)
        isTooLong = length > Self.longest
        return isTooLong ? nil : length
    }
}
