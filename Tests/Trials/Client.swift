import EventLoop
import Foundation
import History
import TestSupport

/// Somebody who acts for a customer until the trial is over: asks, repeats, leaves, mints and revokes tokens, reads.
@LoopActor final class Client {
    private enum Act { case chat, mint, revoke, replace, revokeAll, probe, list, read, look }

    private static let acts: [(element: Act, weight: Int)] = [
        (.chat, 58), (.mint, 7), (.revoke, 5), (.replace, 2), (.revokeAll, 1), (.probe, 12),
        (.list, 6), (.read, 6), (.look, 3),
    ]

    private let trial: Trial
    private let customer: Customer
    private var dice: Dice
    private let talk: Talk
    private var questions = 0

    init(_ trial: Trial, _ customer: Customer, number: Int) {
        self.trial = trial
        self.customer = customer
        dice = Dice(seed: trial.plan.seed, player: number)
        talk = Talk("\(trial.plan.name).talk\(number)")
    }

    /// Acts until the trial is over.
    func live() async {
        while !trial.isOver {
            let isWell = await act()
            let pause = isWell ? dice.number(0...20) : dice.number(30...150)
            try? await Loop.sleep(milliseconds: pause)
        }
    }

    /// Whether it went well.
    private func act() async -> Bool {
        guard let token = token() else { return await mint() }
        let asking = Asking(trial: trial, user: customer.name, token: token)
        guard trial.plan.changesTokens else { return await chat(asking) }
        switch dice.pick(Self.acts) ?? .look {
        case .chat: return await chat(asking)
        case .mint: return await mint()
        case .revoke: return await revoke()
        case .replace: return await replace(asking)
        case .revokeAll: return await revokeAll(asking)
        case .probe: return await probe()
        case .list: return await list(asking)
        case .read: return await read(asking)
        case .look: return await asking.send("GET", "/v1/models") { _ in .look }.event.isWell
        }
    }

    private func token() -> Token? { customer.tokens.randomElement(using: &dice) }

    // MARK: Tokens

    private var admin: Asking { Asking(trial: trial, user: "admin", token: trial.site.admin) }

    private func path(_ token: Token? = nil) -> String {
        "/api/admin/users/\(customer.id)/api-tokens" + (token.map { "/" + $0.label } ?? "")
    }

    private func mint() async -> Bool {
        guard customer.tokens.count < 5 else { return true }
        return await trial.mint(for: customer)
    }

    private func revoke() async -> Bool {
        guard customer.tokens.count > 1, let token = token() else { return true }
        customer.end([token])
        return await admin.send("DELETE", path(token)) { _ in .revoke(token: token.label) }
            .event.isWell
    }

    private func replace(_ asking: Asking) async -> Bool {
        let (others, name) = (customer.tokens, customer.name)
        customer.end(others)
        let (event, reply) = await asking.send("POST", "/api/users/me/api-token", "{}") {
            .mint(token: $0["id"].string ?? "unknown", user: name, replaces: true)
        }
        if let label = reply["id"].string, let secret = reply["token"].string {
            customer.add(Token(label: label, secret: secret))
        }
        return event.isWell
    }

    private func revokeAll(_ asking: Asking) async -> Bool {
        let name = customer.name
        customer.end(customer.tokens)
        return await asking.send("DELETE", "/api/users/me/api-token") { _ in
            .revokeAll(user: name)
        }.event.isWell
    }

    /// Tries a token that was revoked.
    private func probe() async -> Bool {
        guard let token = customer.ended.randomElement(using: &dice) else { return true }
        await trial.probe(token, of: customer)
        return true
    }

    // MARK: Reading

    /// The words of whatever a user asks begin with his name.
    private func list(_ asking: Asking) async -> Bool {
        await asking.send("GET", "/v1/chat/completions?limit=50&order=desc") { reply in
            let items = reply["data"].array.map { $0["choices"][0]["message"]["content"].string }
            let owners = items.compactMap { $0?.split(separator: " ").first.map(String.init) }
            return .list(owners: owners.filter { $0.hasPrefix("user") })
        }.event.isWell
    }

    private func read(_ asking: Asking) async -> Bool {
        guard let other = trial.customers.randomElement(using: &dice),
            let id = other.completions.randomElement(using: &dice)
        else { return true }
        await asking.send("GET", "/v1/chat/completions/\(id)") { _ in
            .read(completion: id, owner: other.name)
        }
        return true
    }

    // MARK: Chats

    private func chat(_ asking: Asking) async -> Bool {
        let talk = dice.chance(20) ? customer.shared : talk
        questions += 1
        var question = question(in: talk)
        var asking = asking
        for attempt in 0..<3 {
            if attempt == 0, dice.chance(6) { twin(asking, question) }
            let event = await asking.ask(question)
            if event.status == 401 { customer.end([asking.token]) }
            if let chat = event.chat, event.outcome == .ok {
                talk.grow(chat.said + [Said("assistant", chat.answer)], in: chat.conversation)
                if let id = chat.completion { customer.completions.append(id) }
                return true
            }
            guard !trial.isOver, dice.chance(60), let token = token() else { break }
            // What a client does that has heard nothing: the same again, patiently.
            question.leaving = nil
            asking = Asking(trial: trial, user: customer.name, token: token)
            try? await Loop.sleep(milliseconds: dice.number(10...120))
        }
        return false
    }

    /// The same at the same time.
    private func twin(_ asking: Asking, _ question: Question) {
        trial.alongside { _ = await asking.ask(question) }
    }

    private func question(in talk: Talk) -> Question {
        let words = (0..<dice.number(3...14)).map { _ in Self.words.randomElement(using: &dice) }
        let text =
            "\(customer.name) asks \(questions): "
            + words.compactMap { $0 }.joined(separator: " ")
        let models = dice.chance(trial.plan.faultyShare) ? TrialModel.faulty : TrialModel.sound
        var question = Question(
            conversation: talk.id, said: talk.said + [Said("user", text)],
            model: dice.pick(models) ?? models[0].element)
        question.isStream = dice.chance(70)
        question.isKept = dice.chance(25)
        if dice.chance(6) { question.leaving = .afterPieces(dice.number(1...6)) }
        if dice.chance(6) { question.leaving = .after(milliseconds: dice.number(0...200)) }
        return question
    }

    private static let words = [
        "when", "does", "Archway", "stop", "grüßen", "\"quoted\"", "a\\b", "🙂", "conversation",
        "to",
        "be", "or", "not", "longer-than-the-others", "x", "<b>", "tail",
    ]
}

extension Event {
    /// Nothing to be patient about.
    var isWell: Bool { outcome == .ok }
}
