import HTTP
import JSON
import OpenAI
import Store
import Testing

@testable import Gateway

@Suite("The query of a list")
struct ListQueryTests {
    static func query(
        _ text: String, more: Set<String> = ["order", "model", "metadata"]
    ) throws(APIError) -> ListQuery {
        let request = HTTP.Request(method: .get, path: "/", query: Query.parse(text))
        return try ListQuery(request, more: more)
    }

    @Test("gives what is there, and the pairs of the metadata")
    func values() throws {
        let query = try Self.query(
            "model=a%2Fb&metadata%5Bx%5D=1+2&metadata[a[b]]=%C3%A9&metadata[]=&after=")
        #expect(query["model"] == "a/b" && query["after"] == "" && query["limit"] == nil)
        let metadata = try #require(query.metadata)
        #expect(
            String(decoding: metadata.plain.encoded(), as: UTF8.self)
                == #"{"x":"1 2","a[b]":"é","":""}"#)
        #expect(try Self.query("").metadata == nil)
    }

    @Test(
        "is refused with the name of what would have no effect",
        arguments: [
            ("colour=red", "unknown_parameter colour"), ("Limit=1", "unknown_parameter Limit"),
            ("metadata=x", "unknown_parameter metadata"),
            ("metadata.x=1", "unknown_parameter metadata.x"),
            ("metadata[x=1", "unknown_parameter metadata[x"),
            ("limit=1&limit=2", "invalid_value limit"), ("after=%00", "invalid_value after"),
            ("model=a%00", "invalid_value model"),
            ("metadata[x]=1&metadata[x]=1", "invalid_value metadata[x]"),
            ("metadata[x]=\(String(repeating: "v", count: 513))", "invalid_value metadata.x"),
            ("metadata[\(String(repeating: "k", count: 65))]=1", "invalid_value metadata"),
            (
                (0...16).map { "metadata[\($0)]=1" }.joined(separator: "&"),
                "invalid_value metadata"
            ),
        ])
    func refusals(_ text: String, _ expected: String) {
        do throws(APIError) {
            _ = try Self.query(text)
            Issue.record("\(text) was accepted")
        } catch { #expect("\(error.code ?? "") \(error.param ?? "")" == expected) }
    }

    @Test("has no more names than its list")
    func names() throws {
        #expect(throws: APIError.self) { try Self.query("order=asc", more: []) }
        #expect(throws: APIError.self) { try Self.query("metadata[x]=1", more: ["order"]) }
        #expect(try Self.query("after=a&limit=1", more: [])["after"] == "a")
    }
}

@Suite("A page of a list")
struct PageTests {
    private static func page(_ query: String) throws(APIError) -> Page {
        try Page(ListQueryTests.query(query))
    }

    @Test("has 20 entries, or as many as asked for, at most 100")
    func limits() throws {
        #expect(try Self.page("").slice.limit == 20)
        #expect(try Self.page("limit=1").slice.limit == 1)
        #expect(try Self.page("limit=100&after=x").slice.after == "x")
        for limit in ["0", "101", "-1", "", "x", "1.5", "99999999999999999999"] {
            let error = #expect(throws: APIError.self, "\(limit)") {
                try Self.page("limit=\(limit)")
            }
            #expect(error?.code == "invalid_value" && error?.param == "limit")
        }
    }

    @Test("is in one of two orders")
    func order() throws {
        #expect(try !Self.page("").slice.isDescending)
        #expect(try !Self.page("order=asc").slice.isDescending)
        #expect(try Self.page("order=desc").slice.isDescending)
        for order in ["", "ASC", "down"] {
            let error = #expect(throws: APIError.self) { try Self.page("order=\(order)") }
            #expect(error?.code == "invalid_value" && error?.param == "order")
        }
    }

    @Test("says whether there are more, and where it begins and ends")
    func response() throws {
        let page = try Self.page("limit=2")
        func text(_ ids: [String]) -> String {
            let response = page.response(ids.map { ($0, ["id": .string($0)]) })
            #expect(response.head.fields["content-type"] == "application/json")
            return String(decoding: response.body, as: UTF8.self)
        }
        #expect(
            text(["a", "b", "c"])
                == #"{"object":"list","data":[{"id":"a"},{"id":"b"}],"#
                + #""first_id":"a","last_id":"b","has_more":true}"#)
        #expect(text(["a", "b"]).hasSuffix(#""last_id":"b","has_more":false}"#))
        #expect(
            text([])
                == #"{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}"#)
    }

    @Test(
        "of a list in memory goes on behind any entry, in both orders",
        arguments: [
            ("", "abcde", false), ("limit=2", "ab", true), ("limit=2&after=b", "cd", true),
            ("limit=2&after=c", "de", false), ("after=e", "", false),
            ("order=desc", "edcba", false), ("order=desc&limit=2&after=c", "ba", false),
            ("order=desc&limit=1&after=c", "b", true), ("order=desc&after=a", "", false),
        ])
    func cut(_ query: String, _ expected: String, _ hasMore: Bool) throws {
        let page = try Self.page(query).cut(Array("abcde")) { String($0) }
        #expect(String(page.shown) == expected)
        #expect(page.hasMore == hasMore)
    }

    @Test("begins behind no entry that is not there")
    func unknown() throws {
        let page = try Self.page("after=x")
        let error = #expect(throws: APIError.self) { try page.cut(Array("abc")) { String($0) } }
        #expect(error?.status == 404 && error?.code == "not_found" && error?.param == "after")
    }
}
