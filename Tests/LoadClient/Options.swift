/// What the command line asks for.
struct Options: Sendable {
    var port: UInt16 = 80
    var path = "/v1/chat/completions"
    var token: String?
    var model = "echo"
    var unary = 0
    var concurrency = 16
    var streams = 0
    var ramp = 1.0
    var timeout = 60.0

    /// The numbers at the end of the model's name: pieces, and the milliseconds between them.
    var numbers: [Int] { model.split(separator: "-").compactMap { Int($0) } }

    static let usage = """
        load-client --port N [--path P] [--token T] [--model M] [--timeout SECONDS]
            --unary N [--concurrency C] | --streams N [--ramp SECONDS]
        """

    init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst(), set(name, value) else { return nil }
        }
        guard unary > 0 || streams > 0 else { return nil }
    }

    private mutating func set(_ name: String, _ value: String) -> Bool {
        switch name {
        case "--port": port = UInt16(value) ?? 0
        case "--path": path = value
        case "--token": token = value
        case "--model": model = value
        case "--unary": unary = Int(value) ?? 0
        case "--concurrency": concurrency = Int(value) ?? 0
        case "--streams": streams = Int(value) ?? 0
        case "--ramp": ramp = Double(value) ?? 0
        case "--timeout": timeout = Double(value) ?? 0
        default: return false
        }
        return true
    }

    /// The request, head and body.
    func request(isStream: Bool) -> [UInt8] {
        let body =
            #"{"model":"\#(model)","stream":\#(isStream),"#
            + #""messages":[{"role":"user","content":"one two three"}]}"#
        var head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        head += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        return Array((head + body).utf8)
    }
}
