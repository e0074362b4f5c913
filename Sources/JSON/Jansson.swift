import CJansson

/// The one place that speaks to jansson. Each object it makes is released in the same scope, or has
/// been given to its container, which then owns it (the `_new` functions).
enum Jansson {
    private static let flags = Int(JSON_COMPACT) | Int(JSON_ENCODE_ANY)

    /// Appends a value that holds neither `.verbatim` nor `.number`: `json_dumpb`.
    static func encode(_ value: Value, into text: inout [UInt8]) {
        let object = unsafe make(value)
        defer { unsafe json_decref(object) }
        // Most texts fit; jansson writes a text twice when its size has to be found out first.
        var size = 2048
        var encoded = unsafe dump(object, into: &size)
        if size > encoded.count { encoded = unsafe dump(object, into: &size) }
        text += encoded.prefix(size)
    }

    /// Fills a buffer of `size` bytes; `size` becomes what the whole text needs (0 on failure).
    private static func dump(
        _ object: UnsafeMutablePointer<json_t>?, into size: inout Int
    ) -> [UInt8] {
        let capacity = size
        var needed = 0
        let buffer = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            let address = UnsafeMutableRawPointer(buffer.baseAddress)
            needed = unsafe json_dumpb(
                object, address?.assumingMemoryBound(to: CChar.self), capacity, flags)
            count = Swift.min(needed, capacity)
        }
        size = needed
        return buffer
    }

    /// A new reference, owned by the caller. Recursion follows what our own code nested.
    private static func make(_ value: Value) -> UnsafeMutablePointer<json_t>? {
        switch value {
        case .boolean(let boolean): return boolean ? unsafe json_true() : unsafe json_false()
        case .integer(let integer): return unsafe json_integer(json_int_t(integer))
        case .string(let string): return unsafe makeString(string)
        case .array(let elements):
            let array = unsafe json_array()
            for element in elements { unsafe json_array_append_new(array, make(element)) }
            return unsafe array
        case .object(let members):
            let object = unsafe json_object()
            for member in members {
                let value = unsafe make(member.value)
                _ = unsafe member.key.withCString { key in
                    unsafe json_object_setn_new_nocheck(object, key, member.key.utf8.count, value)
                }
            }
            return unsafe object
        case .null, .number, .verbatim: return unsafe json_null()
        }
    }

    /// `json_stringn_nocheck`: a Swift string is valid UTF-8 already, and may hold NUL.
    private static func makeString(_ string: String) -> UnsafeMutablePointer<json_t>? {
        unsafe string.withCString { unsafe json_stringn_nocheck($0, string.utf8.count) }
    }
}
