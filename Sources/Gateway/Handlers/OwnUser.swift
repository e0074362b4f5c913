internal import EventLoop
internal import HTTP
internal import JSON
internal import OpenAI
internal import Store

/// `/api/users/me`
@LoopActor
enum OwnUser {
    /// `GET`: who am I, and what may I do.
    static func get(_ exchange: Exchange, _ worker: Worker) async throws -> Answer {
        guard let identity = exchange.identity else { throw APIError.missingAPIKey }
        let actions = Action.allCases.filter { identity.permits(.action($0)) }
        let more = [Member("actions", .array(actions.map { .string($0.rawValue) }))]
        guard let user = identity.user, case .object(let members) = user.value else {
            let anonymous = [
                Member("id", nil), Member("object", "user"), Member("name", "anonymous"),
                Member("role", .string(identity.roleName)),
            ]
            return .response(.json(.object(anonymous + more)))
        }
        return .response(.json(.object(members + more)))
    }
}
