// What no provider should send, and what some do.

private func head(_ type: String = "text/event-stream", _ more: String = "") -> String {
    "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\n\(more)\r\n"
}

private func say(_ content: String, _ finish: String = "null") -> String {
    #"data: {"choices":[{"index":0,"delta":{"content":"\#(content)"},"finish_reason":\#(finish)}]}"#
}

private let good = say("fine") + "\n\n" + say("", "\"stop\"") + "\n\ndata: [DONE]\n\n"
private let page = "<html><body>Sign in</body></html>"
private let whole =
    #"{"choices":[{"index":0,"message":{"content":"fine"},"finish_reason":"stop"}]}"#

/// By name, with what becomes of it in a stream and in a reply that is not streamed: the answer, or an error.
package let garbage: [(name: String, stream: String, reply: String, steps: [Step])] = [
    // Forms in which an answer is still an answer.
    ("wrong type", "fine", "error", [.wire(head("text/plain") + good), .cut]),
    ("CR only", "fine", "error", [.wire(head() + good.replacing("\n", with: "\r")), .cut]),
    ("CR LF", "fine", "error", [.wire(head() + good.replacing("\n", with: "\r\n")), .cut]),
    (
        "mixed line ends", "fine", "error",
        [
            .wire(
                head() + say("fine") + "\r\n\r" + ": x\n\r\n" + say("", "\"stop\"") + "\r\r\n"),
            .cut,
        ]
    ),
    ("byte order mark", "fine", "error", [.wire(head() + "\u{FEFF}" + good), .cut]),
    ("drip", "fine", "error", Array(good.utf8).map { .raw([$0]) } + [.end]),
    ("two ends", "fine", "error", [.wire(head() + good + "data: [DONE]\n\n" + good), .cut]),
    ("data after the end", "fine", "error", [.wire(head() + good + say("late") + "\n\n"), .cut]),
    ("garbage after the end", "fine", "error", [.wire(head() + good + "data: {\u{0}\n\n"), .cut]),
    (
        "an end that lasts", "fine", "error",
        [.wire(head() + say("fine") + "\n\n" + say("", "\"stop\"") + "\n\n"), .hang]
    ),
    ("a last word that lasts", "fine", "error", [.wire(head() + good), .hang]),
    (
        "comments after the end", "fine", "error",
        [.wire(head() + good), .flood(": " + repeating("x", 60_000) + "\n")]
    ),
    ("a reply to a stream", "error", "fine", [.wire(head("application/json") + whole), .cut]),
    (
        "trailing blanks", "error", "fine",
        [.wire(head("application/json") + whole + " \n\t"), .cut]
    ),

    // Bytes that are none of ours.
    ("a page", "error", "error", [.wire(head("text/html") + page), .cut]),
    ("a page of the wrong type", "error", "error", [.wire(head("application/json") + page), .cut]),
    (
        "gzip", "error", "error",
        [
            .wire(head("application/json", "Content-Encoding: gzip\r\n")),
            .wire([0x1F, 0x8B, 8, 0, 0]), .cut,
        ]
    ),
    ("gzip that is not told", "error", "error", [.wire(head()), .wire([0x1F, 0x8B, 8, 0]), .cut]),
    (
        "gzip in the framing", "error", "error",
        [.wire(head("x/y", "Transfer-Encoding: gzip, chunked\r\n") + "1\r\nx\r\n"), .hang]
    ),
    (
        "no UTF-8", "error", "error",
        [
            .wire(Array((head() + #"data: {"choices":[{"delta":{"content":""#).utf8)),
            .wire([0xFF, 0xC3, 0x22] + Array("}}]}\n\n\(good)".utf8)), .cut,
        ]
    ),
    ("NUL in an event", "error", "error", [.wire(head() + "data: \u{0}{}\n\n" + good), .cut]),
    (
        "NUL bytes", "error", "error",
        [.wire(Array(head().utf8) + [UInt8](repeating: 0, count: 9000)), .cut]
    ),
    (
        "deep", "error", "error",
        [.wire(head() + "data: " + repeating("[", 500_000) + "\n\n"), .cut]
    ),
    ("two marks", "error", "error", [.wire(head() + "\u{FEFF}\u{FEFF}data: {}\n\n"), .cut]),

    // HTTP that is none.
    ("HTTP/0.9", "error", "error", [.wire(good), .cut]),
    ("no HTTP", "error", "error", [.wire("SSH-2.0-OpenSSH_9.2\r\n\r\n"), .hang]),
    (
        "a length too short", "error", "error",
        [.wire(head("a/b", "Content-Length: 20\r\n") + good + whole), .cut]
    ),
    (
        "a length too long", "fine", "error",
        [.wire(head("a/b", "Content-Length: 9999\r\n") + good), .cut]
    ),
    (
        "a reply cut by its length", "error", "error",
        [.wire(head("a/b", "Content-Length: 9999\r\n") + whole), .cut]
    ),
    (
        "a length that is none", "error", "error",
        [.wire(head("a/b", "Content-Length: x\r\n") + whole), .cut]
    ),
    (
        "broken chunks", "error", "error",
        [.wire(head("a/b", "Transfer-Encoding: chunked\r\n") + "zz\r\n" + good), .cut]
    ),

    // What never ends.
    (
        "a head that never ends", "error", "error",
        [.wire("HTTP/1.1 200 OK\r\n"), .flood("X-Field: 1\r\n")]
    ),
    (
        "a field that never ends", "error", "error",
        [.wire("HTTP/1.1 200 OK\r\nX: "), .flood("xxxxxxxxxxxxxxxx")]
    ),
    ("interim replies that never end", "error", "error", [.flood("HTTP/1.1 100 Continue\r\n\r\n")]),
    (
        "a line that never ends", "error", "error",
        [.wire(head() + "data: "), .flood(repeating("x", 60_000))]
    ),
    (
        "a long line that stops", "error", "error",
        [.wire(head() + "data: " + repeating("x", 1_000_000)), .hang]
    ),
    (
        "a long event that stops", "error", "error",
        [.wire(head() + "data: " + repeating("x", 990_000) + "\ndata: x"), .hang]
    ),
    (
        "a long event that was", "error", "error",
        [
            .wire(head() + "data: {\"choices\":[],\"x\":\"" + repeating("x", 990_000) + "\"}\n\n"),
            .hang,
        ]
    ),
    (
        "an event that never ends", "error", "error",
        [.wire(head()), .flood("data: " + repeating("x", 60_000) + "\n")]
    ),
    (
        "comments that never end", "error", "error",
        [.wire(head()), .flood(": " + repeating("x", 60_000) + "\n\n")]
    ),
    (
        "blanks that never end", "error", "error",
        [.wire(head()), .flood(repeating(" ", 60_000) + "\n")]
    ),
]
