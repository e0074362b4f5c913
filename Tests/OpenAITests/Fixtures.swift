import Foundation
import HTTP
import JSON
import OpenAI
import Testing

/// A file beside these tests.
func fixture(_ path: String) throws -> [UInt8] {
    let url = Bundle.module.bundleURL.appending(path: "Fixtures").appending(path: path)
    return [UInt8](try Data(contentsOf: url))
}

/// The names of a folder's files.
func fixtures(in folder: String) throws -> [String] {
    let url = Bundle.module.bundleURL.appending(path: "Fixtures").appending(path: folder)
    return try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

func request(_ json: String) throws -> ChatCompletionRequest {
    try ChatCompletionRequest(Array(json.utf8))
}

/// A request with these messages, given as JSON.
func talk(_ messages: String) throws -> ChatCompletionRequest {
    try request(#"{"model":"m","messages":[\#(messages)]}"#)
}

/// The JSON of each `data:` line.
func events(_ bytes: [UInt8]) throws -> [Document] {
    let lines = text(bytes).components(separatedBy: "\n\n").filter { !$0.isEmpty }
    return try lines.map { line in
        #expect(line.hasPrefix("data: "))
        #expect(!line.contains("\n"))
        return try Document(Array(line.dropFirst(6).utf8))
    }
}

/// Decodes the body in a line of refusals, and expects what the line says.
func expectRefusal(
    _ line: some Collection<UInt8>, decode: ([UInt8]) throws -> Void
) throws {
    let row = try Document(Array(line)).root
    let why = row["why"]?.string ?? ""
    let body = try #require(row["body"])
    let error = #expect(throws: APIError.self, "\(why)") { try decode(Array(body.bytes)) }
    #expect(error?.status == 400, "\(why)")
    #expect(error?.type == "invalid_request_error", "\(why)")
    #expect(error?.code == row["code"]?.string, "\(why): \(error?.message ?? "")")
    #expect(error?.param == row["param"]?.string, "\(why): \(error?.message ?? "")")
}
