import JSON

/// Texts of ours in the manner of JSONTestSuite: what must be accepted, what refused, and why.
enum Fixtures {
    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    static let accepted: [String] = [
        "0", "-0", "1", "-1", "10", "0.5", "-0.0", "1e1", "1E+2", "1e-400", "1e400", "0e0", "0E-0",
        "123456789012345678901234567890", "0.12345678901234567890123456789", "1.5e+99999",
        "true", "false", "null", "\"\"", "\"a\"", "\" \"", "\"\u{7f}\"", "\"\u{80}\u{7ff}\u{800}\"",
        "\"\u{ffff}\u{10000}\u{10ffff}\"", "\"\u{feff}\"", "\"\u{2028}\u{2029}\"", "\"'\"",
        #""\"\\\/\b\f\n\r\t""#, #""\u0000""#, #""\u00e9\uABCD\uabcd""#, #""\ud83d\ude00""#,
        #""\u005c\u0022""#, #""\\u0041""#, #""\\\\""#,
        "[]", "{}", " [ ] ", "\t{\n}\r", "[1]", "[ 1 , 2 ]", "[[],[[]],{}]", "[\"a\",true,null]",
        #"{"a":1}"#, #"{ "a" : 1 , "b" : [ ] }"#, #"{"":0}"#, #"{"a":{"a":{"a":1}}}"#,
        #"{"a":1,"A":2}"#, #"{"\u0000":1}"#, "{\"\u{e9}\":1,\"e\u{301}\":2}",
        #"{"a":[{"b":"c"},{"b":"c"}]}"#, "\"" + String(repeating: "long ", count: 500) + "\"",
        String(repeating: "[", count: 64) + String(repeating: "]", count: 64),
        String(repeating: "{\"a\":", count: 63) + "[0]" + String(repeating: "}", count: 63),
        String(repeating: " ", count: 1000) + "1" + String(repeating: "\n", count: 1000),
    ]

    /// Strings that hold surrogates without their other half: accepted, and decoded to U+FFFD.
    static let loneSurrogates: [(String, String)] = [
        (#""\ud800""#, "\u{FFFD}"), (#""\udfff""#, "\u{FFFD}"), (#""\ud800a""#, "\u{FFFD}a"),
        (#""\ud800\n""#, "\u{FFFD}\n"), (#""\ud800\ud83d\ude00""#, "\u{FFFD}\u{1F600}"),
        (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
        (#""x\ud83d\\ude00""#, "x\u{FFFD}\\ude00"),
    ]

    static let refused: [(text: [UInt8], cause: ParseError.Cause, offset: Int)] =
        refusedTexts.map { (Array($0.utf8), $1, $2) } + refusedBytes

    private static let refusedTexts: [(String, ParseError.Cause, Int)] = [
        ("", .empty, 0), (" \n", .empty, 0), ("\u{FEFF}1", .byteOrderMark, 0),
        ("tru", .unexpectedEnd, 3), ("truE", .unexpectedCharacter, 3), ("nul", .unexpectedEnd, 3),
        ("True", .unexpectedCharacter, 0), ("NaN", .unexpectedCharacter, 0),
        ("Infinity", .unexpectedCharacter, 0), ("undefined", .unexpectedCharacter, 0),
        ("'a'", .unexpectedCharacter, 0), ("// c\n1", .unexpectedCharacter, 0),
        ("1 /* c */", .trailingCharacters, 2), ("truefalse", .trailingCharacters, 4),
        ("1 2", .trailingCharacters, 2), ("[]]", .trailingCharacters, 2),
        ("{}{}", .trailingCharacters, 2), ("1\0", .trailingCharacters, 1),
        ("\u{a0}1", .unexpectedCharacter, 0), ("[1\u{c}]", .unexpectedCharacter, 2),
        ("01", .invalidNumber, 0), ("-01", .invalidNumber, 1), ("-", .invalidNumber, 1),
        ("1.", .invalidNumber, 2), ("1.e1", .invalidNumber, 2), ("1e", .invalidNumber, 2),
        ("1e+", .invalidNumber, 3), ("-a", .invalidNumber, 1), ("--1", .invalidNumber, 1),
        ("+1", .unexpectedCharacter, 0), (".5", .unexpectedCharacter, 0),
        ("1a", .trailingCharacters, 1), ("0x1", .trailingCharacters, 1),
        ("1_0", .trailingCharacters, 1),
        ("1.5.5", .trailingCharacters, 3), ("-Infinity", .invalidNumber, 1),
        ("\u{ff11}", .unexpectedCharacter, 0),
        ("\"", .unterminatedString, 0), ("\"a", .unterminatedString, 0),
        (#"["a\"]"#, .unterminatedString, 1), ("\"\\", .invalidEscape, 1),
        (#""\a""#, .invalidEscape, 1), (#""\U0041""#, .invalidEscape, 1),
        (#""\u""#, .invalidEscape, 1),
        (#""\u00""#, .invalidEscape, 1), (#""\u00g0""#, .invalidEscape, 1),
        (#""\u+123""#, .invalidEscape, 1), (#""\'""#, .invalidEscape, 1),
        (#""\x41""#, .invalidEscape, 1),
        ("\"\n\"", .controlCharacter, 1), ("\"a\tb\"", .controlCharacter, 2),
        ("\"\0\"", .controlCharacter, 1), ("\"123456789\u{1f}\"", .controlCharacter, 10),
        ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2), ("[1,", .unexpectedEnd, 3),
        ("[1,]", .unexpectedCharacter, 3), ("[,1]", .unexpectedCharacter, 1),
        ("[1,,2]", .unexpectedCharacter, 3), ("[1 2]", .unexpectedCharacter, 3),
        ("[1}", .unexpectedCharacter, 2), ("[\"a\": 1]", .unexpectedCharacter, 4),
        ("]", .unexpectedCharacter, 0), ("}", .unexpectedCharacter, 0),
        (",", .unexpectedCharacter, 0),
        ("{", .unexpectedEnd, 1), ("{\"a\"", .unexpectedEnd, 4), ("{\"a\":", .unexpectedEnd, 5),
        ("{\"a\":1", .unexpectedEnd, 6), ("{\"a\":1,", .unexpectedEnd, 7),
        ("{\"a\":1,}", .unexpectedCharacter, 7), ("{,}", .unexpectedCharacter, 1),
        ("{\"a\"}", .unexpectedCharacter, 4), ("{\"a\" 1}", .unexpectedCharacter, 5),
        ("{a:1}", .unexpectedCharacter, 1), ("{1:1}", .unexpectedCharacter, 1),
        ("{\"a\":1]", .unexpectedCharacter, 6), ("{\"a\"::1}", .unexpectedCharacter, 5),
        ("{\"a\":1 \"b\":2}", .unexpectedCharacter, 7), ("{[]:1}", .unexpectedCharacter, 1),
        (#"{"a":1,"a":1}"#, .duplicateKey, 7), (#"{"a":1,"\u0061":2}"#, .duplicateKey, 7),
        (#"[{"b":{"":1,"c":2,"":3}}]"#, .duplicateKey, 18),
        (#"{"\/":1,"/":2}"#, .duplicateKey, 8),
        (String(repeating: "[", count: 65) + String(repeating: "]", count: 65), .tooDeep, 64),
        (String(repeating: "[", count: 100_000), .tooDeep, 64),
        (String(repeating: "{\"a\":", count: 100_000), .tooDeep, 320),
    ]

    private static let refusedBytes: [([UInt8], ParseError.Cause, Int)] = [
        ([0x22, 0x80, 0x22], .invalidUTF8, 1), ([0x22, 0xFF, 0x22], .invalidUTF8, 1),
        ([0x22, 0xC3, 0x22], .invalidUTF8, 1), ([0x22, 0xC0, 0xAF, 0x22], .invalidUTF8, 1),
        ([0x22, 0xE0, 0x80, 0x80, 0x22], .invalidUTF8, 1),
        ([0x22, 0xED, 0xA0, 0x80, 0x22], .invalidUTF8, 1),
        ([0x22, 0xE2, 0x82, 0x22], .invalidUTF8, 1),
        ([0x22, 0xE2, 0x28, 0xA1, 0x22], .invalidUTF8, 1),
        ([0x22, 0xF0, 0x80, 0x80, 0x80, 0x22], .invalidUTF8, 1),
        ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], .invalidUTF8, 1),
        ([0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], .invalidUTF8, 1),
        ([0x22, 0xF0, 0x9F, 0x98], .invalidUTF8, 1), ([0x22, 0xC3], .invalidUTF8, 1),
        ([0xFE, 0xFF, 0, 0x31], .unexpectedCharacter, 0),
        ([0x5B, 0xFF, 0x5D], .unexpectedCharacter, 1),
        ([0xEF, 0xBB, 0xBF], .byteOrderMark, 0), ([0], .unexpectedCharacter, 0),
    ]
}
