import CYAML

/// The events of libyaml, copied out of its memory one by one.
@safe final class EventReader {
    /// One event; `anchor` and `tag` tell that the text has one, which we refuse.
    struct Event {
        enum Kind {
            case scalar(String, quoted: Bool), sequence, mapping, end
            case documentStart, streamEnd, alias, other
        }
        var kind: Kind
        var line: Int
        var column: Int
        var hasAnchor = false
        var hasTag = false
    }

    /// `yaml_parser_t` points at itself, so it must not move: allocated, and freed in `deinit`.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let isReady: Bool

    /// Reads from `text`, which must outlive the reader.
    init(_ text: UnsafeBufferPointer<UInt8>) {
        unsafe parser = .allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        isReady = unsafe yaml_parser_initialize(parser) == 1
        guard isReady else { return }
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, text.count)
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    deinit {
        if isReady { unsafe yaml_parser_delete(parser) }
        unsafe parser.deallocate()
    }

    /// The next event: `yaml_parser_parse`.
    func next() throws(YAMLError) -> Event {
        guard isReady else { throw YAMLError(line: 1, column: 1, reason: "out of memory") }
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure }
        defer { unsafe yaml_event_delete(&event) }
        return unsafe Self.copy(event)
    }

    /// What libyaml says of a fault; its texts are constants, and marks count from 0.
    private var failure: YAMLError {
        let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) }
        let isReaderFault = unsafe parser.pointee.error == YAML_READER_ERROR
        let mark = unsafe isReaderFault ? parser.pointee.mark : parser.pointee.problem_mark
        return YAMLError(
            line: Int(mark.line) + 1, column: Int(mark.column) + 1,
            reason: problem ?? "not valid YAML")
    }

    private static func copy(_ event: yaml_event_t) -> Event {
        let mark = unsafe event.start_mark
        var copy = Event(kind: .other, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let text = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
            copy.kind = unsafe .scalar(String(decoding: text, as: UTF8.self), quoted: !isPlain)
            (copy.hasAnchor, copy.hasTag) = unsafe (scalar.anchor != nil, scalar.tag != nil)
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            copy.kind = .sequence
            (copy.hasAnchor, copy.hasTag) = unsafe (start.anchor != nil, start.tag != nil)
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            copy.kind = .mapping
            (copy.hasAnchor, copy.hasTag) = unsafe (start.anchor != nil, start.tag != nil)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: copy.kind = .end
        case YAML_DOCUMENT_START_EVENT: copy.kind = .documentStart
        case YAML_STREAM_END_EVENT: copy.kind = .streamEnd
        case YAML_ALIAS_EVENT: copy.kind = .alias
        default: break
        }
        return copy
    }
}
