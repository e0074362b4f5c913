import EventLoop
import Foundation
import History
import ScriptedProvider
import TestSupport

/// Clients who act at once while something happens to the system; afterwards the history is checked.
@LoopActor package final class Trial {
    /// What a trial is like.
    package struct Plan: Sendable {
        package var seed: Int
        /// Begins the names of all that it makes.
        package var name: String
        package var customers = 3
        package var clients = 8
        /// Tokens come and go; otherwise there are only chats.
        package var changesTokens = true
        /// How many of a hundred questions go to providers that fail.
        package var faultyShare = 20

        package init(seed: Int, name: String) {
            self.seed = seed
            self.name = name
        }
    }

    /// What came of it.
    package struct Outcome: Sendable {
        package var history: History
        package var stored: Stored
        package var violations: [Violation]
    }

    /// A moment in the life of a request.
    enum Moment: String, CaseIterable {
        case asked = "before the head"
        case piece = "between pieces"
        case lastPiece = "around the finish"
        case answered = "while storing"
        case done = "after [DONE]"
    }

    /// Seconds within which all must be stored that is on its way.
    private static let settling = 30.0

    let site: TrialSite
    let plan: Plan
    private(set) var customers: [Customer] = []
    private(set) var isOver = false
    /// Told of the moments of all requests, by the events' names.
    var onMoment: ((Moment, String) -> Void)?
    private var history = History()
    private var count = 0
    private var companions: [Task<Void, Never>] = []

    /// With customers of an earlier trial, or with new ones.
    init(_ plan: Plan, at site: TrialSite, customers: [Customer] = []) {
        self.plan = plan
        self.site = site
        self.customers = customers
    }

    /// Lets the clients act until `body` has ended.
    package func run(_ body: @LoopActor (Trial) async throws -> Void) async throws -> Outcome {
        site.forget()
        site.onQuestion = { [unowned self] in tell($1 ? .answered : .asked, $0) }
        if customers.isEmpty {
            for number in 0..<plan.customers { try await addCustomer(number) }
        }
        let clients = (0..<plan.clients).map { number in
            let client = Client(self, customers[number % plan.customers], number: number)
            return spawn { await client.live() }
        }
        let failure: (any Error)?
        do {
            try await body(self)
            failure = nil
        } catch {
            failure = error
        }
        isOver = true
        for client in clients { await client.value }
        for companion in companions { await companion.value }
        if let failure { throw failure }
        if plan.changesTokens { try await probeAll() }
        return try await outcome()
    }

    /// Runs something beside its client, which the trial waits for at its end.
    func alongside(_ body: @escaping @LoopActor @Sendable () async -> Void) {
        companions.append(spawn(body))
    }

    /// Makes a user with a token, as soon as the gateway has its database back from the trial before.
    private func addCustomer(_ number: Int) async throws {
        let admin = Asking(trial: self, user: "admin", token: site.admin)
        var (attempt, customer) = (0, Customer?.none)
        let isMade = await waitUntil(seconds: Self.settling) {
            attempt += 1
            let name = "user\(plan.name)x\(number)a\(attempt)"
            let body = #"{"name":"\#(name)"}"#
            let reply = await admin.send("POST", "/api/admin/users", body) { _ in .look }.reply
            customer = reply["id"].string.map { Customer(name, id: $0, trial: plan.name) }
            return customer != nil
        }
        guard isMade, let customer else { throw TrialFailure(description: "no user can be made") }
        customers.append(customer)
        guard await waitUntil(seconds: Self.settling, { await mint(for: customer) }) else {
            throw TrialFailure(description: "no token can be minted")
        }
    }

    /// Mints a token by the admin's.
    func mint(for customer: Customer) async -> Bool {
        let admin = Asking(trial: self, user: "admin", token: site.admin)
        let path = "/api/admin/users/\(customer.id)/api-tokens"
        let (event, reply) = await admin.send("POST", path, "{}") {
            .mint(token: $0["id"].string ?? "unknown", user: customer.name, replaces: false)
        }
        guard let label = reply["id"].string, let secret = reply["token"].string else {
            return false
        }
        customer.add(Token(label: label, secret: secret))
        return event.isWell
    }

    /// Tries a token that was revoked.
    func probe(_ token: Token, of customer: Customer) async {
        await Asking(trial: self, user: customer.name, token: token)
            .send("GET", "/v1/models") { _ in .look }
    }

    /// Tries all tokens that were revoked, when every worker has had the time to learn of it.
    private func probeAll() async throws {
        try await Loop.sleep(milliseconds: 1100)
        for customer in customers {
            for token in customer.ended {
                for _ in 0..<4 { await probe(token, of: customer) }
            }
        }
    }

    // MARK: Taking down

    func begin(by user: String, with token: Token) -> Event {
        count += 1
        return Event(
            "\(plan.name).\(count)", by: user, with: token.label, started: microseconds())
    }

    func end(_ event: Event) -> Event {
        var event = event
        event.ended = microseconds()
        history.events.append(event)
        return event
    }

    func tell(_ moment: Moment, _ event: String) { onMoment?(moment, event) }

    /// Does something to the system, and takes it down.
    func fault(
        _ name: String, isDeadly: Bool = false, _ body: @LoopActor () async throws -> Void
    ) async rethrows {
        let started = microseconds()
        try await body()
        history.faults.append(
            .init(name, isDeadly: isDeadly, started: started, ended: microseconds()))
    }

    // MARK: The end

    /// What is wrong with the history, once everything is stored that is to be stored.
    private func outcome() async throws -> Outcome {
        var outcome = Outcome(history: history, stored: Stored(), violations: [])
        _ = try await waitUntil(seconds: Self.settling) {
            site.complete(&outcome.history)
            outcome.stored = try await site.stored(customers)
            outcome.violations = outcome.history.violations(outcome.stored)
            if !outcome.violations.isEmpty { try await Loop.sleep(milliseconds: 400) }
            return outcome.violations.isEmpty
        }
        return outcome
    }
}
