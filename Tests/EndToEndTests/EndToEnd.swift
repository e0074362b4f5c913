import EventLoop
import ScriptedProvider
import TestSupport
import Testing

/// Everything that is tested through a real nginx, real workers, a real PostgreSQL and a provider that plays scripts.
///
/// One after the other: these tests measure, and share a few processors with everything that they start. Afterwards
/// every log of the whole run is searched for what no log may hold.
@Suite("Archway behind nginx", .serialized, .withoutLeaks) enum EndToEnd {}

/// Stops what the tests have started, and looks for leaked secrets in what it has logged.
private struct WithoutLeaks: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        do {
            try await function()
        } catch {
            await Deployment.stopAll()
            throw error
        }
        await Deployment.stopAll()
        let (leaks, searched) = await Secrets.leaks()
        for leak in leaks.prefix(10) { Issue.record("a log holds a secret: \(leak)") }
        // Every request leaves a line in two logs: a search of nothing proves nothing.
        if searched < 2 { Issue.record("there was no log to search for secrets") }
        figure("searched \(searched) lines of logs for secrets")
    }
}

extension Trait where Self == WithoutLeaks {
    fileprivate static var withoutLeaks: WithoutLeaks { WithoutLeaks() }
}

/// The deployment that all tests share which do not break theirs.
@LoopActor enum Shared {
    private static let started = Once {
        let deployment = try await Deployment.start()
        return (deployment, try await deployment.makeUser())
    }

    static func deployment() async throws -> Deployment { try await started.value.0 }

    /// A user whom many tests use.
    static func user() async throws -> User { try await started.value.1 }

    private static let held = Once {
        var plan = DeploymentPlan()
        plan.firstEventHold = 30
        let deployment = try await Deployment.start(plan)
        return (deployment, try await deployment.makeUser())
    }

    /// One where a stream's status is held back for longer than any early failure takes on a busy machine, so that such
    /// a failure is a status; and its user.
    static func holding() async throws -> (Deployment, User) { try await held.value }
}

/// Runs `body` with a deployment of its own, and a user of it.
@LoopActor func withDeployment(
    _ plan: DeploymentPlan = DeploymentPlan(),
    _ body: @LoopActor (Deployment, User) async throws -> Void
) async throws {
    let deployment = try await Deployment.start(plan)
    do {
        try await body(deployment, try await deployment.makeUser())
    } catch {
        await deployment.stop()
        throw error
    }
    await deployment.stop()
}

/// A user with a token.
struct User: Sendable {
    var name: String
    var id: String
    var token: String
}

@LoopActor private var userCount = 0

extension Deployment {
    /// Creates a user on the command line, and mints a token.
    func makeUser(role: String = "user", _ options: String...) async throws -> User {
        userCount += 1
        let name = "user-\(userCount)"
        let id = try await archway("user", "create", name, "--role", role)
        return User(name: name, id: id, token: try await mint(name, options))
    }

    /// Mints a token for a user on the command line.
    func mint(_ user: String, _ options: [String] = []) async throws -> String {
        let token = try await archway(["token", "create", "--user", user] + options)
        Secrets.note(token: token)
        return token
    }

    /// Sends a chat completion.
    func chat(_ chat: Chat, _ user: User, at door: Door = .site) throws -> WebCall {
        var request = chat.request
        request.fields.append(("Authorization", "Bearer \(user.token)"))
        return try call(request, at: door)
    }

    /// Sends a chat completion and waits for the whole answer.
    func answer(_ chat: Chat, _ user: User, at door: Door = .site) async throws -> WebReply {
        try await self.chat(chat, user, at: door).reply()
    }

    /// Begins so many answers, and returns as soon as the provider was asked for all of them.
    func begin(
        _ count: Int, _ user: User, _ chat: @LoopActor (Int) -> Chat
    ) async -> [Task<WebReply, any Error>] {
        let before = questions.count
        let answers = (0..<count).map { number in
            let chat = chat(number)
            return Task { @LoopActor in try await answer(chat, user) }
        }
        #expect(await waitUntil(seconds: 20) { questions.count == before + count })
        return answers
    }

    /// Begins so many streams that last until their callers leave, and returns as soon as each has said something.
    func hold(_ count: Int, _ user: User) async throws -> [WebCall] {
        let calls = try (0..<count).map { _ in try chat(Chat("hang-after-1").streamed, user) }
        for call in calls { _ = try await call.next() }
        return calls
    }

    /// Asks for a path with a token.
    func get(_ path: String, _ user: User) async throws -> WebReply {
        try await send("GET", path, user.token)
    }

    /// Sends a JSON body, or none, with a token, or none.
    func send(
        _ method: String, _ path: String, _ token: String?, _ body: String? = nil,
        at door: Door = .site
    ) async throws -> WebReply {
        var request = WebRequest(method, path)
        if let token { request.fields.append(("Authorization", "Bearer \(token)")) }
        if let body {
            request.fields.append(("Content-Type", "application/json"))
            request.body = Array(body.utf8)
        }
        let reply = try await call(request, at: door).reply()
        if let token = reply.json["token"].string { Secrets.note(token: token) }
        return reply
    }
}

/// Runs `body` so many times at once, and throws what any of them threw.
@LoopActor func concurrently<Result: Sendable>(
    _ count: Int, _ body: @escaping @LoopActor @Sendable (Int) async throws -> Result
) async throws -> [Result] {
    try await results(
        of: (0..<count).map { number in Task { @LoopActor in try await body(number) } })
}

/// What tasks return, in their order.
@LoopActor func results<Result: Sendable>(
    of tasks: [Task<Result, any Error>]
) async throws -> [Result] {
    var results: [Result] = []
    for task in tasks { results.append(try await task.value) }
    return results
}

/// What is read as soon as it has stood still for 20 readings: what was under way is done then.
@LoopActor func settled<Value: Equatable>(_ read: @LoopActor () -> Value) async -> Value {
    var (value, count) = (read(), 1)
    _ = await waitUntil {
        let next = read()
        count = next == value ? count + 1 : 1
        value = next
        return count == 20
    }
    return value
}

/// Prints a measured figure, for people.
func figure(_ text: String) { print("figure: \(text)") }

/// The value below which so many percent of the values lie.
func percentile(_ percent: Int, of values: [Double]) -> Double {
    let sorted = values.sorted()
    guard let last = sorted.indices.last else { return .nan }
    return sorted[min(last, sorted.count * percent / 100)]
}

extension Deployment {
    /// What the provider was asked, without those requests for its list of models that come at any time.
    var questions: [Recorded] { provider.recorded.filter { $0.method == "POST" } }

    /// What the provider was asked with this text in it.
    func asked(_ text: String) -> [Recorded] {
        provider.recorded.filter { String(decoding: $0.body, as: UTF8.self).contains(text) }
    }
}

extension ProviderServer {
    /// Requests so far for models whose names begin like this.
    func count(of model: String) -> Int {
        recorded.count { $0.model?.hasPrefix(model) == true }
    }
}
