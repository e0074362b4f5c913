import CJansson
import JSON
import Testing

/// Jansson's decoder as a second opinion on our parser.
@Suite("JSON parser and jansson")
struct JanssonTests {
    private typealias Object = UnsafeMutablePointer<json_t>

    /// What jansson makes of a text; `isSilent` where its own limits and not the grammar decide.
    private func decode(_ bytes: [UInt8]) -> (object: Object?, isSilent: Bool) {
        let flags =
            JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES
        var error = json_error_t()
        let object = bytes.withUnsafeBytes { buffer in
            json_loadb(
                buffer.bindMemory(to: CChar.self).baseAddress, bytes.count, Int(flags), &error)
        }
        let silent = [
            json_error_numeric_overflow, json_error_null_byte_in_key, json_error_stack_overflow,
        ]
        // A NUL byte behind the value is the end of the text to jansson.
        return (object, bytes.contains(0) || silent.contains(json_error_code(&error)))
    }

    private func agree(_ bytes: [UInt8]) -> Bool {
        let (object, isSilent) = decode(bytes)
        defer { json_decref(object) }
        guard let root = try? Document(bytes, limits: Limits(depth: 2000)).root else {
            return object == nil || isSilent
        }
        guard let object else { return isSilent || holdsLoneSurrogate(bytes) }
        return isEqual(root, object)
    }

    /// Jansson refuses surrogates without their other half where we decode them to U+FFFD.
    private func holdsLoneSurrogate(_ bytes: [UInt8]) -> Bool {
        String(decoding: bytes, as: UTF8.self).lowercased().contains("\\ud")
    }

    private func isEqual(_ node: Node, _ object: Object) -> Bool {
        switch object.pointee.type {
        case JSON_NULL: return node.isNull
        case JSON_TRUE: return node.boolean == true
        case JSON_FALSE: return node.boolean == false
        case JSON_REAL: return node.number == json_real_value(object)
        case JSON_STRING:
            let text = UnsafeRawBufferPointer(
                start: json_string_value(object), count: json_string_length(object))
            return node.string?.utf8.elementsEqual(text) == true
        case JSON_ARRAY:
            guard node.kind == .array, node.count == json_array_size(object) else { return false }
            return node.elements.enumerated().allSatisfy { index, element in
                json_array_get(object, index).map { isEqual(element, $0) } == true
            }
        case JSON_OBJECT:
            guard node.kind == .object, node.count == json_object_size(object) else { return false }
            return node.members.allSatisfy { key, value in
                json_object_get(object, key).map { isEqual(value, $0) } == true
            }
        default: return false
        }
    }

    @Test("agree on every fixture")
    func fixtures() {
        for text in Fixtures.accepted { #expect(agree(Array(text.utf8)), "\(text.prefix(60))") }
        for fixture in Fixtures.refused where ![.tooDeep].contains(fixture.cause) {
            #expect(agree(fixture.text), "\(fixture.text.prefix(60))")
        }
    }

    @Test("agree on thousands of damaged texts")
    func damaged() {
        var randomness = Randomness(2026)
        let seeds = Fixtures.accepted.filter { $0.utf8.count < 200 }.map { Array($0.utf8) }
        for seed in seeds + ChunkFixtures.all.map({ Array($0.utf8) }) {
            for _ in 0..<150 {
                let damaged = randomness.damage(seed)
                let agrees = agree(damaged)
                #expect(agrees, "\(String(decoding: damaged, as: UTF8.self)) \(damaged)")
            }
        }
    }

    @Test("agree on what jansson encodes")
    func encoded() {
        let value: Value = ["a": ["\u{0}é\u{1F600}", 1, true, nil], "b\"": [:], "c": []]
        #expect(agree(value.encoded()))
    }
}
