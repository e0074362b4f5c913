import EventLoop
import History

/// A user of a trial, for whom several clients act.
@LoopActor final class Customer {
    let name: String
    let id: String
    /// Tokens that hold, as far as the clients know.
    private(set) var tokens: [Token] = []
    /// Tokens that were revoked, or may have been.
    private(set) var ended: [Token] = []
    /// Ids of stored completions.
    var completions: [String] = []
    /// A conversation that all the clients lead at once.
    let shared: Talk

    init(_ name: String, id: String, trial: String) {
        self.name = name
        self.id = id
        shared = Talk("\(trial).\(name).shared")
    }

    func add(_ token: Token) { tokens.append(token) }

    /// Nobody uses these any more but to see that they are refused.
    func end(_ gone: [Token]) {
        tokens.removeAll { gone.contains($0) }
        ended = (ended + gone).suffix(20)
    }
}

/// A conversation as its client knows it.
@LoopActor final class Talk {
    /// Messages after which a new one begins.
    private static let longest = 12

    private let name: String
    private var number = 1
    private(set) var said: [Said] = []

    nonisolated init(_ name: String) { self.name = name }

    /// The name for the front end's header.
    var id: String { "\(name).\(number)" }

    /// What was asked and answered goes on from here.
    func grow(_ said: [Said], in id: String) {
        guard id == self.id, said.count > self.said.count else { return }
        self.said = said
        guard said.count >= Self.longest else { return }
        self.said = []
        number += 1
    }
}
