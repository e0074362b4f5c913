import EventLoop
import Foundation

// What the table of behaviours is made of.

/// The proper end of an answer.
let ending: [Step] = stopping("stop")

/// The proper end with another finish reason.
func stopping(_ reason: String) -> [Step] { [.finish(reason), .done, .end] }

/// The text word by word, blanks kept.
func words(_ text: String) -> [Step] { pieces(text).map { .text($0) } }

/// The same, each word so many milliseconds after the one before.
func words(_ text: String, every: Int) -> Step {
    let pieces = pieces(text)
    return .texts(count: pieces.count, every: every) { pieces[$0] }
}

private func pieces(_ text: String) -> [String] {
    var pieces: [String] = []
    for character in text {
        if character == " " || pieces.isEmpty { pieces.append("") }
        pieces[pieces.count - 1].append(character)
    }
    return pieces
}

/// Pieces that carry their index and the time at which they were made (`CLOCK_MONOTONIC`, µs).
func stamps(_ count: Int, every: Int) -> Step {
    .texts(count: count, every: every) { "\($0):\(microseconds()) " }
}

/// A long text as a person would read it, word by word, each so many milliseconds after the one before.
func recital(every: Int) -> Step {
    let words = (1...40).flatMap { number in
        "This is sentence \(number) of a long answer, said word by word.\n\n"
            .split(separator: " ", omittingEmptySubsequences: false).map { "\($0) " }
    }
    return .texts(count: words.count, every: every) { words[$0] }
}

/// Answers whatever a front end asks on its own.
let taskAnswer =
    #"{"title":"When Archway stops","tags":["operations"],"#
    + #""follow_ups":["How long may answers go on?"],"queries":[]}"#

/// Numbered pieces of ten kilobytes, all at once.
func bulk(_ count: Int) -> Step {
    .texts(count: count, every: 0) { "\($0) " + repeating("x", 10_000) }
}

/// Monotonic microseconds, comparable between the processes of one host.
package func microseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}

func repeating(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: count)
}

let singleTool: [Step] = [
    .tool(index: 0, id: "call_1", name: "weather", arguments: ""),
    .tool(index: 0, id: nil, name: nil, arguments: #"{"city":"#),
    .tool(index: 0, id: nil, name: nil, arguments: #""Köln"}"#),
]

let parallelTools: [Step] = [
    .tool(index: 0, id: "call_1", name: "weather", arguments: ""),
    .tool(index: 1, id: "call_2", name: "time", arguments: #"{"zone":"#),
    .tool(index: 0, id: nil, name: nil, arguments: #"{"city":"Köln"}"#),
    .tool(index: 1, id: nil, name: nil, arguments: #""CET"}"#),
]

let html = [("Content-Type", "text/html")]
let gzip = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]

/// A redirect to an address.
func elsewhere(_ address: String) -> [Step] {
    [.reply(status: 307, fields: [("Location", address)], body: "")]
}

/// An error as OpenAI words it, with what goes with its status.
func failure(_ status: Int) -> [Step] {
    let message = "scripted failure \(status)"
    let body = #"{"error":{"message":"\#(message)","type":"scripted","param":null,"code":null}}"#
    // Longer than the gateway waits by itself.
    let fields = status == 429 || status == 503 ? [("Retry-After", "11")] : []
    return [.reply(status: status, fields: fields, body: body)]
}

/// An error that repeats what it was asked, as validators do.
func echoingFailure(_ status: Int, _ question: String) -> [Step] {
    let body = #"{"error":{"message":\#(quoted("bad input: " + question)),"type":"scripted"}}"#
    return [.reply(status: status, fields: [], body: body)]
}

let contextTooLong: [Step] = [
    .reply(
        status: 400, fields: [],
        body: """
            {"error":{"message":"This model's maximum context length is 8192 tokens.",\
            "type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}
            """)
]

/// The first requests, as many as told, are refused with a status; with a second number they shall wait so many
/// seconds.
func waiting(_ status: Int, _ prompt: Prompt) -> [Step] {
    guard prompt.earlier < prompt.number(0, or: 1) else { return words("at last") + ending }
    let fields = prompt.numbers.dropFirst().first.map { [("Retry-After", "\($0)")] } ?? []
    return [.reply(status: status, fields: fields, body: #"{"error":{"message":"busy"}}"#)]
}

/// A good answer after so many milliseconds.
func late(_ milliseconds: Int) -> [Step] { [.pause(milliseconds)] + words("well") + ending }

let fingerprint: [Step] = [.members(#""system_fingerprint":"fp_1""#)]

let filtered: [Step] = [
    .reply(
        status: 400, fields: [],
        body: #"{"error":{"message":"The prompt was filtered.","code":"content_filter"}}"#)
]

let noPrefill: [Step] = [
    .reply(
        status: 400, fields: [],
        body: #"{"error":{"message":"The last message must not be the assistant's."}}"#)
]

/// Secrets that must reach neither a caller nor a log.
let canary: [Step] = [
    .reply(
        status: 500, fields: [("X-Secret", "canary-field-5d1f")],
        body: #"{"error":{"message":"canary-body-5d1f at http://10.0.0.1/ SELECT * FROM x"}}"#)
]

let errorEvent = #"data: {"error":{"message":"scripted failure","type":"server_error"}}"# + "\n\n"

let invalidText: [UInt8] =
    Array(#"data: {"choices":[{"index":0,"delta":{"content":""#.utf8) + [0xFF, 0xC3]
    + Array("\"}}]}\n\n".utf8)

/// A chunk's event up to its line end.
func line(content: String) -> String {
    "data: {\"id\":\"chatcmpl-s\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
        + "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\(content)\"},\"finish_reason\":null}]}"
}

func event(content: String) -> [UInt8] { Array((line(content: content) + "\n\n").utf8) }

/// A list of one embedding, that nobody has counted.
func vectors(_ vector: String) -> String {
    #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":\#(vector)}]}"#
}

/// Members by which a browser's front end would act, and links that it would follow.
let hostile: [Step] = [
    .members(#""event":{"type":"source","data":{"name":"evil"}}"#),
    .members(#""sources":[{"source":{"name":"evil"}}],"selected_model_id":"evil""#),
    .raw(
        "data: {\"id\":\"evil\",\"object\":\"chat.completion.chunk\",\"model\":\"evil\",\"choices\":"
            + "[{\"index\":0,\"delta\":{\"content\":\"x\",\"annotations\":[{\"type\":"
            + "\"url_citation\",\"url_citation\":{\"url\":\"javascript:alert(1)\",\"title\":\"x\","
            + "\"start_index\":0,\"end_index\":1}}],\"evil\":1},\"finish_reason\":null,"
            + "\"evil\":1}]}\n\n"),
    .raw("event: evil\nid: 7\nretry: 1\ndata: {\"choices\":[],\"evil\":1}\n\n"),
    .text("harmless"),
]
