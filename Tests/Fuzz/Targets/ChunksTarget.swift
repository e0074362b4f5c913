import JSON

/// The scan of ordinary chunks against the parser, which is asked the same question.
package enum ChunksTarget {
    private enum Expectation: Equatable {
        case ordinary(Range<Int>), unusual, eitherWay(Range<Int>)
    }

    /// Nil when scan and parser agree, else how they differ.
    package static func fault(in input: [UInt8]) -> String? {
        let found = OrdinaryChunk(input.span)
        switch expectation(input) {
        case .ordinary(let range) where found?.content == range: break
        case .unusual where found == nil: break
        case .eitherWay(let range) where found == nil || found?.content == range: break
        case let expected: return "found \(found as Any), expected \(expected)"
        }
        guard let found else { return nil }
        let fingerprint = (try? Document(input))?.root["system_fingerprint"]?.string
        let same = found.systemFingerprint.map { StringLiteral.decode(content: input[$0]) ?? "?" }
        return same == fingerprint ? nil : "another fingerprint"
    }

    private static func expectation(_ bytes: [UInt8]) -> Expectation {
        guard let root = try? Document(bytes).root, let range = ordinaryContent(root) else {
            return .unusual
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let hasSurrogates = text.lowercased().contains("\\ud")
        let hasEscapedNames = ["\\u00", "\\/"].contains { text.contains($0) }
        return hasSurrogates || hasEscapedNames ? .eitherWay(range) : .ordinary(range)
    }

    private static func ordinaryContent(_ root: Node) -> Range<Int>? {
        for (key, value) in root.members {
            switch key {
            case "id", "object", "model": guard value.kind == .string else { return nil }
            case "created": guard value.kind == .number else { return nil }
            case "system_fingerprint", "service_tier":
                guard value.kind == .string || value.isNull else { return nil }
            case "usage": guard value.isNull else { return nil }
            case "choices": guard value.kind == .array, value.count == 1 else { return nil }
            default: return nil
            }
        }
        guard let choice = root["choices"]?[0], choice["index"]?.bytes == [0x30] else { return nil }
        for (key, value) in choice.members where !["index", "delta"].contains(key) {
            guard ["finish_reason", "logprobs"].contains(key), value.isNull else { return nil }
        }
        guard let delta = choice["delta"], let content = delta["content"], content.kind == .string
        else { return nil }
        for (key, value) in delta.members where key != "content" {
            guard key == "role", value.string == "assistant" else { return nil }
        }
        return content.range.lowerBound + 1..<content.range.upperBound - 1
    }
}
