import HTTP
import Testing

@Suite("Header fields")
struct FieldsTests {
    @Test("are found in any case and keep their order")
    func lookUp() {
        var fields: Fields = ["Content-Type": "text/html", "X-A": "1", "x-a": "2"]
        #expect(fields["content-TYPE"] == "text/html")
        #expect(fields.values("x-A") == ["1", "2"])
        fields["X-a"] = "3"
        #expect(fields.values("x-a") == ["3"])
        fields.append("x-a", "4")
        #expect(fields.map(\.value) == ["text/html", "3", "4"])
        fields["x-a"] = nil
        #expect(fields.map(\.name) == ["Content-Type"])
        #expect(fields["Content-Typ"] == nil)
    }

    @Test("are written as lines")
    func write() throws {
        var output: [UInt8] = []
        try (["A": "1", "b-c": "ä \t"] as Fields).write(into: &output)
        #expect(String(decoding: output, as: UTF8.self) == "A: 1\r\nb-c: ä \t\r\n")
    }

    @Test("refuse a value with a line end or NUL", arguments: ["a\r\nX: 1", "a\n", "\r", "a\0b"])
    func injection(value: String) {
        var output: [UInt8] = []
        #expect(throws: FieldError.value("A")) {
            try (["A": value] as Fields).write(into: &output)
        }
        #expect(output.isEmpty)
    }

    @Test("refuse a name that is not a token", arguments: ["", "a b", "a:", "a\r\n", "ä", "a\0"])
    func names(name: String) {
        #expect(throws: FieldError.name(name)) { try ([name: "1"] as Fields).check() }
    }
}

@Suite("Small values")
struct ValueTests {
    @Test("methods keep their spelling")
    func methods() {
        for name in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", "BREW"] {
            #expect(Method(name).name == name)
        }
        #expect(Method("get") != .get)
    }

    @Test("percent-encoding decodes what it encoded")
    func percent() {
        for text in ["", "a b", "ä/ö?&=+%", "\u{0}🙂"] {
            #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
        }
        #expect(PercentEncoding.encode("a b/ä") == "a%20b%2F%C3%A4")
        #expect(PercentEncoding.decode("a+b%2b") == "a+b+")
    }

    @Test("percent-encoding refuses what is broken", arguments: ["%", "%4", "%g0", "%ff", "%C3"])
    func broken(text: String) {
        #expect(PercentEncoding.decode(text) == nil)
    }

    @Test("a query is read as pairs")
    func query() {
        let pairs = Query.parse("a=1&b=x+y%20z&c&&d=e=f&g=%zz")
        #expect(pairs.map(\.name) == ["a", "b", "c", "d", "g"])
        #expect(pairs.map(\.value) == ["1", "x y z", "", "e=f", "%zz"])
    }
}
