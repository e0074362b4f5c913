internal import EventLoop
internal import FastCGI
internal import OpenAI
internal import Providers

/// The middle of station 11: a provider's events become chunks in one buffer, which goes out once for all that
/// arrived at once. The task sleeps meanwhile; it is woken only when the caller reads more slowly than the provider
/// writes. An answer that is checked first is held back: nothing goes out but comments until it is released.
@LoopActor
final class ChatRelay<Route: Generation> {
    private(set) var template: ChunkTemplate
    private let route: Route
    private let reply: EventStreamReply
    private let connection: Connection
    /// What the caller has yet to get.
    private var output: [UInt8] = []
    /// Something of the answer has reached the caller, or is about to: another provider may not begin again.
    private(set) var hasBegun = false

    init(_ route: Route, _ reply: EventStreamReply) {
        self.route = route
        self.reply = reply
        connection = route.inquiry.exchange.connection
        template = Self.template(of: route)
    }

    private static func template(of route: Route) -> ChunkTemplate {
        ChunkTemplate(
            id: route.id, created: route.created, model: route.request.model, form: route.form)
    }

    /// Sends all that `stream` says. What an attempt before left unsent is forgotten.
    func run(_ stream: ProviderStream) async throws {
        output = []
        template = Self.template(of: route)
        while try await stream.flow(
            { [self] event in
                connection.works()
                route.answer.take(event, &template, into: &output)
            },
            goesOn: { [self] in sendAtOnce() })
        {
            try await send()
        }
        guard !route.isChecked, !hasBegun else { return }
        begin()
        try await send()
    }

    /// Sends what was held back.
    func release() async throws {
        guard route.isChecked else { return }
        output = template.choices(route.answer.steps)
        begin()
        try await send()
    }

    /// Sends what there is if that needs no waiting. False when it does.
    private func sendAtOnce() -> Bool {
        // What is held back is kept by the answer, as one text instead of hundreds of chunks.
        if !hasBegun, route.isChecked {
            if route.answer.hasBegun { route.inquiry.hear() }
            output.removeAll(keepingCapacity: true)
        }
        if output.isEmpty { return true }
        if !hasBegun { begin() }
        guard reply.writeAtOnce(output) else { return false }
        output.removeAll(keepingCapacity: true)
        return true
    }

    private func send() async throws {
        guard !sendAtOnce() else { return }
        try await reply.write(output)
        output.removeAll(keepingCapacity: true)
    }

    /// The first chunk goes before everything else.
    private func begin() {
        hasBegun = true
        route.inquiry.hear()
        route.inquiry.nameModel()
        route.inquiry.exchange.findings.firstEventAt = Loop.now
        output =
            template.opening(choices: route.choiceCount) + route.firstWords(template) + output
    }
}
