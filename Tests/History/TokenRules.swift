/// A revoked token is refused everywhere within a second, and a valid one never.
struct TokenRules {
    /// Microseconds after the acknowledgement within which the last worker has learnt of a revocation.
    static let bound: Int64 = 1_000_000

    /// What is known of a token.
    private struct Life {
        var user = ""
        var mintStarted = Int64.min
        /// When it was acknowledged; never, if that is not known.
        var minted = Int64.max
        /// When the first revocation that is known to hold was acknowledged.
        var revoked = Int64.max
        /// When the first revocation began that may hold.
        var endangered = Int64.max
    }

    private let events: [Event]
    private var lives: [String: Life] = [:]

    init(_ history: History) {
        events = history.events
        for event in events {
            guard case .mint(let token, let user, _) = event.deed else { continue }
            let isKnown = event.outcome == .ok
            lives[token] = Life(
                user: user, mintStarted: event.started,
                minted: isKnown ? event.ended : .max)
        }
        for event in events where event.outcome != .fail { end(by: event) }
    }

    private mutating func end(by event: Event) {
        switch event.deed {
        case .revoke(let token): end(token, by: event)
        case .revokeAll(let user): endAll(of: user, but: nil, by: event)
        case .mint(let token, let user, replaces: true): endAll(of: user, but: token, by: event)
        default: break
        }
    }

    private mutating func end(_ token: String, by event: Event) {
        guard var life = lives[token] else { return }
        life.endangered = min(life.endangered, event.started)
        if event.outcome == .ok { life.revoked = min(life.revoked, event.ended) }
        lives[token] = life
    }

    /// Of a token that is minted at the same time it is not known which was first.
    private mutating func endAll(of user: String, but kept: String?, by event: Event) {
        for (token, life) in lives where life.user == user && token != kept {
            guard life.mintStarted < event.ended else { continue }
            if life.minted <= event.started {
                end(token, by: event)
            } else {
                lives[token]?.endangered = min(life.endangered, event.started)
            }
        }
    }

    var violations: [Violation] {
        events.compactMap { event in
            guard let status = event.status, let life = lives[event.token] else {
                return nil
            }
            let isRefused = status == 401
            if !isRefused, status < 500, life.revoked < event.started - Self.bound {
                let late = (event.started - life.revoked) / 1000
                return Violation(
                    .revokedTokenAccepted, event.id,
                    "status \(status), \(late) ms after the revocation of \(event.token)")
            }
            if isRefused, life.minted <= event.started, event.ended < life.endangered {
                return Violation(.validTokenRefused, event.id, "token \(event.token)")
            }
            return nil
        }
    }
}
