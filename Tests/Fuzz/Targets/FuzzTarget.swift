/// A reader of bytes from outside that is given any bytes at all, and what must hold then.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// FastCGI records of one connection.
    case records
    /// JSON texts.
    case json
    /// Server-sent events.
    case events
    /// Chunks of a chat completion.
    case chunks

    /// Gives the input to its reader. Nil when everything holds, else what does not.
    package func fault(in input: [UInt8]) -> String? {
        switch self {
        case .records: RecordsTarget.fault(in: input)
        case .json: JSONTarget.fault(in: input)
        case .events: EventsTarget.fault(in: input)
        case .chunks: ChunksTarget.fault(in: input)
        }
    }

    /// The inputs that every run begins with, and each test run tries.
    package var corpus: Corpus {
        get throws { try Corpus(file: "\(Corpus.folder)/\(rawValue).txt") }
    }
}
