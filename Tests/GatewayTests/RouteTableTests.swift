import HTTP
import OpenAI
import Testing

@testable import Gateway

@Suite("The route table")
struct RouteTableTests {
    private static let samples = ["id": "id-1", "token": "token_2"]

    /// A path with its variables filled, and their values.
    private static func sample(_ route: Route) -> (path: String, values: [String]) {
        var values: [String] = []
        let segments = route.path.split(separator: "/").map { segment -> String in
            guard segment.hasPrefix("{") else { return String(segment) }
            let value = samples[String(segment.dropFirst().dropLast())] ?? "x"
            values.append(value)
            return value
        }
        return ("/" + segments.joined(separator: "/"), values)
    }

    private static func error(_ method: HTTP.Method, _ path: String) -> APIError? {
        do throws(APIError) {
            _ = try routes.find(method, path)
            return nil
        } catch { return error }
    }

    @Test("finds every route by its path, with and without a slash at the end")
    func findsAll() throws {
        for route in routes.routes {
            let (path, values) = Self.sample(route)
            for form in [path, path + "/"] {
                let found = try routes.find(route.method, form)
                #expect(found.route.path == route.path && found.route.method == route.method)
                #expect(found.values == values)
            }
        }
    }

    @Test("has each method of a path once")
    func unique() {
        let names = routes.routes.map { "\($0.method.name) \($0.path)" }
        #expect(Set(names).count == names.count)
    }

    @Test("is open to everybody at the two health routes only")
    func openRoutes() {
        let open = routes.routes.filter { if case .open = $0.access { true } else { false } }
        #expect(open.map(\.path).sorted() == ["/health/live", "/health/ready"])
    }

    @Test("asks for the right action below each prefix")
    func actions() {
        for route in routes.routes {
            guard case .action(let action) = route.access else { continue }
            switch route.path {
            case let path where path.hasPrefix("/api/admin/"): #expect(action == .admin)
            case let path where path.hasPrefix("/api/users/me/api-token"):
                #expect(action == .tokens)
            case let path where path.hasPrefix("/v1/models"): #expect(action == .models)
            case let path where path.hasPrefix("/v1/chat/"): #expect(action == .chat)
            default: break
            }
        }
        #expect(
            routes.routes.filter { $0.path.hasPrefix("/api/admin/") }.allSatisfy {
                if case .action(.admin) = $0.access { true } else { false }
            })
    }

    @Test("answers HEAD where it answers GET, and nowhere else")
    func head() throws {
        for path in Set(routes.routes.map { Self.sample($0).path }) {
            let takesGet = Self.error(.get, path) == nil
            #expect((Self.error(.head, path) == nil) == takesGet)
        }
    }

    @Test("names the methods of a path that are right where another one is used")
    func methods() {
        let all: [HTTP.Method] = [
            .get, .post, .put, .patch, .delete, .head, .options, .other("BREW"),
        ]
        for path in Set(routes.routes.map { Self.sample($0).path }) {
            let right = routes.routes.filter { Self.sample($0).path == path }.flatMap {
                $0.method == .get ? [.get, .head] : [$0.method]
            }
            for method in all where !right.contains(method) {
                let error = Self.error(method, path)
                #expect(error?.status == 405)
                #expect(error?.code == "method_not_allowed")
                #expect(
                    error?.fields["allow"] == right.map(\.name).joined(separator: ", "), "\(path)")
            }
        }
    }

    @Test(
        "knows no other path",
        arguments: [
            "", "/", "/v1", "/v1/", "/v1/model", "/v1/Models", "/V1/models", "/v1/models%2F",
            "/v1/chat/completions/x/y", "/v1/chat/completions/x/messages/y", "/api/admin",
            "/api/admin/users/a/b", "/health",
            "/health/live/x", "*", "/../v1/models", "/v1/./models", "/v1/models/%zz",
            "/api/admin/users/%", "/api/admin/users/%ff",
        ])
    func unknown(_ path: String) {
        #expect(Self.error(.get, path)?.status == 404)
        #expect(Self.error(.get, path)?.code == "not_found")
    }

    @Test("decodes variables once, and takes slashes in the name of a model")
    func variables() throws {
        #expect(try routes.find(.get, "/v1/models/a%20b").values == ["a b"])
        #expect(try routes.find(.get, "/v1/models/a%252F").values == ["a%2F"])
        #expect(try routes.find(.get, "/v1/models/org%2Fmodel").values == ["org/model"])
        #expect(try routes.find(.get, "/v1/models/org/model:8b").values == ["org/model:8b"])
        #expect(try routes.find(.get, "/v1/models/ü").values == ["ü"])
        let token = try routes.find(.delete, "/api/admin/users/u%2F1/api-tokens/t")
        #expect(token.values == ["u/1", "t"])
    }
}
