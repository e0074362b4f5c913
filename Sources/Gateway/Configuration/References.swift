/// Where a configuration's `${env:…}` and `${file:…}` are looked up.
package struct References {
    /// A variable of the environment; nil if it is not set.
    package var environment: (String) -> String?
    /// A file's bytes; the error is shown to the operator.
    package var file: (String) throws -> [UInt8]

    /// References that are looked up so.
    package init(
        environment: @escaping (String) -> String?, file: @escaping (String) throws -> [UInt8]
    ) {
        self.environment = environment
        self.file = file
    }

    /// Why a reference could not be replaced.
    struct Failure: Error { let message: String }

    /// The text with every reference replaced; `$${` stands for `${` itself. What is put in is not
    /// looked at again. A file's line ends at its end are left out.
    func expand(_ text: String) throws(Failure) -> String {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstRange(of: "${") {
            let before = rest[..<dollar.lowerBound]
            if before.last == "$" {
                result += before.dropLast() + "${"
                rest = rest[dollar.upperBound...]
                continue
            }
            guard let end = rest[dollar.upperBound...].firstIndex(of: "}") else {
                throw Failure(
                    message: "\"${\" without \"}\"; write \"$${\" for the characters themselves")
            }
            result += try before + value(of: rest[dollar.upperBound..<end])
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private func value(of reference: Substring) throws(Failure) -> String {
        let parts = reference.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else { throw Self.unknown }
        switch parts[0] {
        case "env":
            guard let value = environment(String(parts[1])) else {
                throw Failure(message: "the environment has no \(parts[1])")
            }
            return value
        case "file": return try contents(of: String(parts[1]))
        default: throw Self.unknown
        }
    }

    private func contents(of path: String) throws(Failure) -> String {
        let bytes: [UInt8]
        do { bytes = try file(path) } catch {
            throw Failure(message: "cannot read \(path): \(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(message: "\(path) is not UTF-8")
        }
        return String(text.reversed().drop(while: \.isNewline).reversed())
    }

    private static let unknown = Failure(
        message:
            "only ${env:NAME} and ${file:PATH} are known; write \"$${\" for the characters themselves"
    )
}
