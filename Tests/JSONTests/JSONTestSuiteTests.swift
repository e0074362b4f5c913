import Foundation
import FuzzTargets
import JSON
import Testing

/// What JSONTestSuite asks of a parser (`Fixtures/json-test-suite.txt`).
@Suite("JSONTestSuite")
struct JSONTestSuiteTests {
    private static func texts(_ verdict: String) throws -> [Corpus.Entry] {
        let file = Bundle.module.bundleURL.appending(path: "Fixtures/json-test-suite.txt").path
        return try Corpus(file: file).entries.filter { $0.name.hasPrefix(verdict) }
    }

    private func parses(_ entry: Corpus.Entry, _ limits: Limits = Limits()) -> Bool {
        (try? Document(entry.bytes, limits: limits)) != nil
    }

    @Test(
        "E2: whatever must be accepted is, but for doubled keys, which are refused with their path")
    func accepted() throws {
        let texts = try Self.texts("y_")
        #expect(texts.count == 95)
        for text in texts where !text.name.hasPrefix("y_object_duplicated_key") {
            #expect(parses(text), "\(text.name)")
        }
        for text in texts where text.name.hasPrefix("y_object_duplicated_key") {
            let error = #expect(throws: ParseError.self) { try Document(text.bytes) }
            #expect(error?.cause == .duplicateKey && error?.path == "a")
            #expect(parses(text, Limits(refusesDuplicateKeys: false)))
        }
    }

    @Test("E2: whatever must be refused is")
    func refused() throws {
        let texts = try Self.texts("n_")
        #expect(texts.count == 188)
        for text in texts { #expect(!parses(text), "\(text.name)") }
    }

    @Test("E2: where the suite leaves the choice, numbers and halves of surrogates are accepted")
    func choice() throws {
        let texts = try Self.texts("i_")
        #expect(texts.count == 38)
        let accepted = texts.filter { parses($0) }.map(\.name)
        #expect(accepted == Self.acceptedByChoice)
        let deep = texts.filter { $0.name == "i_structure_500_nested_arrays" }
        #expect(deep.allSatisfy { parses($0, Limits(depth: 500)) })
    }

    /// The others are not UTF-8, have a byte order mark, or are nested deeper than 64.
    private static let acceptedByChoice = [
        "i_number_double_huge_neg_exp", "i_number_huge_exp", "i_number_neg_int_huge_exp",
        "i_number_pos_double_huge_exp", "i_number_real_neg_overflow", "i_number_real_pos_overflow",
        "i_number_real_underflow", "i_number_too_big_neg_int", "i_number_too_big_pos_int",
        "i_number_very_big_negative_int", "i_object_key_lone_2nd_surrogate",
        "i_string_1st_surrogate_but_2nd_missing", "i_string_1st_valid_surrogate_2nd_invalid",
        "i_string_incomplete_surrogate_and_escape_valid", "i_string_incomplete_surrogate_pair",
        "i_string_incomplete_surrogates_escape_valid", "i_string_invalid_lonely_surrogate",
        "i_string_invalid_surrogate", "i_string_inverted_surrogates_U+1D11E",
        "i_string_lone_second_surrogate",
    ]
}
