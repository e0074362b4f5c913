import CJansson
import JSON

/// Jansson's decoder as a second opinion on our parser.
package enum JanssonOpinion {
    private typealias Object = UnsafeMutablePointer<json_t>

    /// Whether both take the text for the same value, or both refuse it.
    package static func agrees(on bytes: [UInt8]) -> Bool {
        let (object, isSilent) = decode(bytes)
        defer { json_decref(object) }
        guard let root = try? Document(bytes, limits: Limits(depth: 2000)).root else {
            return object == nil || isSilent
        }
        guard let object else { return isSilent || holdsLoneSurrogate(bytes) }
        return isEqual(root, object)
    }

    /// What jansson makes of a text; `isSilent` where its own limits and not the grammar decide.
    private static func decode(_ bytes: [UInt8]) -> (object: Object?, isSilent: Bool) {
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

    /// Jansson refuses surrogates without their other half where we decode them to U+FFFD.
    private static func holdsLoneSurrogate(_ bytes: [UInt8]) -> Bool {
        String(decoding: bytes, as: UTF8.self).lowercased().contains("\\ud")
    }

    private static func isEqual(_ node: Node, _ object: Object) -> Bool {
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
}
