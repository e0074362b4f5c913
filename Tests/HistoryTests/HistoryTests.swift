import History
import Testing

/// Each rule finds its own violation in a history that was put together by hand, and is silent beside it.
@Suite("The history checker")
struct HistoryTests {
    @Test("finds nothing in a history that is in order, and tells how much was in it")
    func order() {
        let made = HandMade()
        #expect(made.kinds.isEmpty)
        var figures = Figures()
        figures.add(made.history, made.stored)
        #expect(figures.events == 2 && figures.whole == 1 && figures.acknowledged == 1)
        #expect(figures.charged == 1 && figures.tokens == Tokens(prompt: 3, completion: 2))
    }

    @Test("A revoked token may be accepted for a second, and not later")
    func lateAcceptance() {
        var made = HandMade()
        made.revoke("t", started: 20, ended: 21)
        made.use("t", at: 21, status: 200)
        made.use("t", at: 22, status: 200)
        made.use("t", at: 30, status: 503)
        made.use("t", at: 30, status: nil)
        made.use("t", at: 30, status: 401)
        #expect(made.kinds.isEmpty)
        made.use("t", at: 23, status: 404)
        #expect(made.kinds == [.revokedTokenAccepted])
    }

    @Test("A revocation that nobody acknowledged may hold or not; one that was refused does not")
    func unknownRevocation() {
        var made = HandMade()
        made.revoke("t", started: 20, ended: 21, .unknown)
        made.use("t", at: 30, status: 200)
        made.use("t", at: 31, status: 401)
        #expect(made.kinds.isEmpty)
        made = HandMade()
        made.revoke("t", started: 20, ended: 21, .fail)
        made.use("t", at: 31, status: 401)
        #expect(made.kinds == [.validTokenRefused])
    }

    @Test("A valid token is never refused, not even before its revocation began")
    func falseRefusal() {
        var made = HandMade()
        made.use("t", at: 15, status: 401)
        made.revoke("t", started: 20, ended: 21)
        #expect(made.kinds == [.validTokenRefused])
        // Of a token that is still being minted nobody knows.
        made = HandMade()
        made.mint("new", started: 5, ended: 8)
        made.use("new", at: 7, status: 401)
        #expect(made.kinds.isEmpty)
    }

    @Test("A token that replaces ends those that were there, and perhaps those that came meanwhile")
    func replacement() {
        var made = HandMade()
        made.mint("meanwhile", started: 20, ended: 23)
        made.mint("new", started: 20, ended: 22, replaces: true)
        made.use("meanwhile", at: 30, status: 401)
        made.use("meanwhile", at: 30, status: 200)
        made.use("new", at: 30, status: 200)
        #expect(made.kinds.isEmpty)
        made.use("t", at: 30, status: 200)
        made.use("new", at: 31, status: 401)
        #expect(made.kinds == [.revokedTokenAccepted, .validTokenRefused])
        made = HandMade()
        made.add("all", 20, 21) {
            $0.deed = .revokeAll(user: "u")
            $0.outcome = .ok
        }
        made.use("t", at: 30, status: 200)
        #expect(made.kinds == [.revokedTokenAccepted])
    }

    @Test(
        "A reply that ends clean without an end is half of one; a broken one, or one that was left, is not"
    )
    func truncation() {
        var made = HandMade()
        made.changeChat { $0.transcript.isDone = false }
        #expect(made.kinds == [.cleanTruncation])
        made.changeChat { $0.transcript.isClean = false }
        #expect(made.kinds.isEmpty)
        made.changeChat {
            $0.transcript.isClean = true
            $0.transcript.hasLeft = true
        }
        #expect(made.kinds.isEmpty)
        // A status without a body that says why is no error either.
        made.changeChat {
            $0.transcript = Transcript(isStream: false)
            $0.transcript.status = 502
            $0.transcript.isClean = true
        }
        #expect(made.kinds == [.cleanTruncation])
        made.changeChat { $0.transcript.hasError = true }
        #expect(made.kinds.isEmpty)
    }

    @Test("A reply has one end, and nothing behind it")
    func contradiction() {
        var made = HandMade()
        made.changeChat { $0.transcript.hasError = true }
        #expect(made.kinds == [.contradictoryEnd])
        made = HandMade()
        made.changeChat { $0.transcript.goesOn = true }
        #expect(made.kinds == [.contradictoryEnd])
    }

    @Test("A whole answer is what the provider said, and the gateway never fails")
    func answers() {
        var made = HandMade()
        made.changeChat { $0.expected = "b" }
        made.store([:])
        #expect(made.kinds == [.wrongAnswer])
        made = HandMade()
        made.use("t", at: 40, status: 500)
        #expect(made.kinds == [.internalError])
        made = HandMade()
        made.add("failed", 40, 41) { $0.code = "internal_error" }
        #expect(made.kinds == [.internalError])
    }

    @Test("An acknowledged question or answer that is not stored, or not whole, is lost")
    func lostTurns() {
        var made = HandMade()
        made.stored.turns.removeAll { $0.hash == "a1" }
        #expect(made.kinds == [.turnLost])
        made.changeChat { $0.isWarned = true }
        #expect(made.kinds.isEmpty)
        made = HandMade()
        for index in made.stored.turns.indices where made.stored.turns[index].hash == "a1" {
            made.stored.turns[index].status = "incomplete"
        }
        #expect(made.kinds == [.turnLost])
        made = HandMade()
        made.stored.turns = []
        #expect(made.kinds == [.turnLost])
    }

    @Test("A turn stands once, behind its parent, and is finished")
    func tree() {
        var made = HandMade()
        made.store(["a2": ("q1", 1, HandMade.answer)])
        #expect(made.kinds == [.turnDoubled])
        made = HandMade()
        made.stored.turns.removeAll { $0.hash == "a1" }
        made.store(["a1": ("q1", 5, HandMade.answer)])
        #expect(made.kinds == [.turnOutOfOrder])
        made = HandMade()
        made.stored.turns.removeAll { $0.hash == "a1" }
        made.store(["a1": ("nobody", 1, HandMade.answer)])
        #expect(Set(made.kinds) == [.turnOutOfOrder, .turnLost, .turnInvented])
        made = HandMade()
        var row = Stored.Turn("turn-x", owner: "u", conversation: "c", said: Said("assistant", ""))
        row.parent = "a1"
        row.position = 2
        row.status = "in_progress"
        made.stored.turns.append(row)
        #expect(made.kinds == [.turnUnfinished])
    }

    @Test(
        "A stored turn was said by somebody; the same words in another's conversation are not these"
    )
    func invention() {
        var made = HandMade()
        made.store(["q2": ("a1", 2, Said("user", "nobody's"))])
        #expect(made.kinds == [.turnInvented])
        made = HandMade()
        for index in made.stored.turns.indices { made.stored.turns[index].owner = "other" }
        #expect(Set(made.kinds) == [.turnLost, .turnInvented])
    }

    @Test("Branches of one conversation are as good as a line")
    func branches() {
        var made = HandMade()
        made.ask("again", at: 20)
        let other = Said("user", "other")
        made.ask("branch", at: 30, said: [other])
        made.store(["q2": (nil, 0, other), "a2": ("q2", 1, HandMade.answer)])
        let longer = [HandMade.question, HandMade.answer, other]
        made.ask("longer", at: 40, said: longer)
        made.store(["q3": ("a1", 2, other), "a3": ("q3", 3, HandMade.answer)])
        #expect(made.kinds.isEmpty)
    }

    @Test("Nobody is shown what is another's, and what was acknowledged is there and his")
    func owners() {
        var made = HandMade()
        made.changeChat { $0.completion = "kept" }
        #expect(made.kinds == [.completionLost])
        made.stored.completions = ["kept": "other"]
        #expect(made.kinds == [.foreignRead])
        made.stored.completions = ["kept": "u"]
        made.add("list", 20, 21) { $0.deed = .list(owners: ["u", "u"]) }
        made.add("read", 20, 21) {
            $0.deed = .read(completion: "theirs", owner: "other")
            $0.outcome = .fail
        }
        #expect(made.kinds.isEmpty)
        made.add("list", 20, 21) { $0.deed = .list(owners: ["u", "other"]) }
        made.add("read", 20, 21) {
            $0.deed = .read(completion: "theirs", owner: "other")
            $0.outcome = .ok
        }
        #expect(made.kinds == [.foreignRead, .foreignRead])
    }

    @Test("Who reached the provider has one usage row, with the provider's own counts")
    func usage() {
        var made = HandMade()
        made.charge("op")
        #expect(made.kinds == [.usageDoubled])
        made = HandMade()
        made.charge("nobody")
        #expect(made.kinds == [.usageInvented])
        made = HandMade()
        made.stored.usage = []
        #expect(made.kinds == [.usageMissing])
        made.charge("op", Tokens(prompt: 3, completion: 1))
        #expect(made.kinds == [.usageWrong])
        // Two attempts: what both cost, or what the last one did.
        made.history.asked.append(.init("op", counted: Tokens(prompt: 3, completion: 5)))
        made.stored.usage = []
        made.charge("op", Tokens(prompt: 6, completion: 7))
        #expect(made.kinds.isEmpty)
        // An estimate cannot be compared.
        made.stored.usage = []
        made.charge("op", Tokens(prompt: 9, completion: 9))
        made.stored.usage[0].isProviders = false
        #expect(made.kinds.isEmpty)
    }

    @Test(
        "A request without a trace is excused by the death of its worker alone; a whole answer is not"
    )
    func vanished() {
        var made = HandMade()
        made.stored.usage = []
        made.history.logged = []
        made.changeChat { ($0.transcript.isDone, $0.transcript.isClean) = (false, false) }
        #expect(made.kinds == [.requestVanished])
        made.history.faults = [
            .init("reload", isDeadly: false, started: 10_500_000, ended: 10_500_000),
            .init("killed", isDeadly: true, started: 30_000_000, ended: 30_000_000),
        ]
        #expect(made.kinds == [.requestVanished])
        made.history.faults.append(
            .init("killed", isDeadly: true, started: 10_500_000, ended: 10_500_000))
        #expect(made.kinds.isEmpty)
        made.changeChat { ($0.transcript.isDone, $0.transcript.isClean) = (true, true) }
        #expect(made.kinds == [.usageMissing])
    }
}
