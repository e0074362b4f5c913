internal import EventLoop
internal import HTTP
internal import OpenAI

/// Who may take a route.
enum Access: Sendable {
    /// Anybody, without a look at who it is.
    case open
    /// An identity whose role, and token, permit the action.
    case action(Action)
    /// Any identity whose role permits anything at all.
    case identity

    /// The request may run as long as a model takes, and so takes one of a worker's places. All others are answered
    /// also by a worker that is full.
    var takesPlace: Bool {
        switch self {
        case .action(.chat), .action(.responses), .action(.embeddings): true
        default: false
        }
    }
}

/// What a handler leaves to the front door.
enum Answer: Sendable {
    /// A whole reply, to be sent.
    case response(HTTP.Response)
    /// The handler has sent, and ended, the reply itself.
    case sent
}

/// A line of the route table.
struct Route: Sendable {
    typealias Handler = @LoopActor @Sendable (Exchange, Worker) async throws -> Answer

    let method: HTTP.Method
    /// As in the documentation: `/v1/models/{id}`.
    let path: String
    let access: Access
    let handler: Handler
    /// The last variable segment may hold slashes, as the names of many models do.
    private let takesRest: Bool
    private let segments: [Substring]

    init(
        _ method: HTTP.Method, _ path: String, _ access: Access, takesRest: Bool = false,
        _ handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.handler = handler
        self.takesRest = takesRest
        segments = path.split(separator: "/")
    }

    /// The values of the path's variable segments, or nil when it is another path.
    func match(_ given: [Substring]) -> [String]? {
        guard given.count >= segments.count, takesRest || given.count == segments.count else {
            return nil
        }
        var values: [String] = []
        for (index, segment) in segments.enumerated() {
            var text = given[index]
            if segment.hasPrefix("{") {
                if takesRest, index == segments.count - 1 {
                    text = given[index...].joined(separator: "/")[...]
                }
                guard let value = PercentEncoding.decode(text) else { return nil }
                values.append(value)
            } else if segment != text {
                return nil
            }
        }
        return values
    }
}

/// All routes, in the order in which they are tried.
struct RouteTable: Sendable {
    let routes: [Route]
    /// Those without variable segments, by path: nearly every request is for one of them.
    private let fixed: [String: [Route]]

    init(routes: [Route]) {
        self.routes = routes
        fixed = Dictionary(grouping: routes.filter { !$0.path.utf8.contains(UInt8(ascii: "{")) }) {
            $0.path
        }
    }

    /// Finds the route of a request; both slash forms of a path are the same. An unlisted path is a 404; a listed one
    /// with another method is a 405 that names the right ones.
    func find(
        _ method: HTTP.Method, _ path: String
    ) throws(APIError) -> (route: Route, values: [String]) {
        if let route = fixed[path]?.first(where: { $0.method == method }) { return (route, []) }
        let given = path.split(separator: "/")
        var allowed: [HTTP.Method] = []
        for route in routes {
            guard let values = route.match(given) else { continue }
            if route.method == method || (method == .head && route.method == .get) {
                return (route, values)
            }
            let methods: [HTTP.Method] = route.method == .get ? [.get, .head] : [route.method]
            allowed += methods.filter { !allowed.contains($0) }
        }
        throw allowed.isEmpty ? .unknownPath : .methodNotAllowed(allow: allowed)
    }
}
