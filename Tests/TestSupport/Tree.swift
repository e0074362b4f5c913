import Foundation

/// Somebody else's view of JSON that we made: Foundation parses it, and a path that leads nowhere leads to nothing.
package struct Tree: CustomStringConvertible {
    private let value: Any?

    private init(value: Any?) { self.value = value }

    /// Nothing, if it is not JSON.
    package init(_ bytes: some Sequence<UInt8>) {
        value = try? JSONSerialization.jsonObject(
            with: Data(bytes), options: .fragmentsAllowed)
    }

    package init(_ text: some StringProtocol) { self.init(text.utf8) }

    /// An object that is there already.
    package init(_ object: [String: Any]) { value = object }

    package subscript(_ key: String) -> Tree { Tree(value: (value as? [String: Any])?[key]) }

    package subscript(_ index: Int) -> Tree {
        guard let array = value as? [Any], array.indices.contains(index) else {
            return Tree(value: nil)
        }
        return Tree(value: array[index])
    }

    /// There is something, be it null.
    package var exists: Bool { value != nil }
    package var isNull: Bool { value is NSNull }
    package var string: String? { value as? String }
    package var integer: Int? { isBoolean ? nil : (value as? NSNumber)?.intValue }
    package var boolean: Bool? { isBoolean ? (value as? NSNumber)?.boolValue : nil }
    /// The elements of an array; none of anything else.
    package var array: [Tree] { (value as? [Any] ?? []).map { Tree(value: $0) } }
    /// The keys of an object; none of anything else.
    package var keys: Set<String> { Set((value as? [String: Any] ?? [:]).keys) }

    /// An object without these members; anything else as it is.
    package func without(_ keys: String...) -> Tree {
        guard let object = value as? [String: Any] else { return self }
        return Tree(value: object.filter { !keys.contains($0.key) })
    }

    /// An object or an array as JSON with its keys in order, to be compared; empty for anything else.
    package var canonical: String {
        guard let value, JSONSerialization.isValidJSONObject(value) else { return "" }
        let data = try? JSONSerialization.data(withJSONObject: value, options: .sortedKeys)
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    /// Foundation's numbers are booleans in disguise, and the other way around.
    private var isBoolean: Bool {
        guard let number = value as? NSNumber else { return false }
        return String(cString: number.objCType) == "c"
    }

    package var description: String { value.map { "\($0)" } ?? "nothing" }
}
