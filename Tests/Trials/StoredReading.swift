import EventLoop
import History
import TestSupport

extension TrialSite {
    /// What the database holds of these users.
    func stored(_ customers: [Customer]) async throws -> Stored {
        let names = Dictionary(uniqueKeysWithValues: customers.map { ($0.id, $0.name) })
        let ids = customers.map { "'\($0.id)'" }.joined(separator: ",")
        var stored = Stored()
        for row in try await rows(Self.turns, ids) {
            var turn = Stored.Turn(
                row["id"].string ?? "", owner: names[row["owner"].string ?? ""] ?? "",
                conversation: row["conversation"].string ?? "",
                said: Said(row["role"].string ?? "", row["text"].string ?? ""))
            turn.parent = row["parent"].string
            turn.hash = row["hash"].string
            turn.position = row["position"].integer ?? -1
            turn.status = row["status"].string ?? ""
            stored.turns.append(turn)
        }
        for row in try await rows(Self.completions, ids) {
            stored.completions[row["id"].string ?? ""] = names[row["owner"].string ?? ""] ?? ""
        }
        stored.usage = try await rows(Self.usage, ids).map { row in
            Stored.Usage(
                request: row["request"].string ?? "",
                isProviders: row["source"].string == "provider",
                tokens: Tokens(
                    prompt: row["prompt"].integer ?? -1, completion: row["completion"].integer ?? -1
                ))
        }
        return stored
    }

    /// Removes what trials have stored of these users.
    func empty(_ customers: [Customer]) async throws {
        let ids = customers.map { "'\($0.id)'" }.joined(separator: ",")
        try await deployment.sql("DELETE FROM conversations WHERE owner_id IN (\(ids))")
        try await deployment.sql("DELETE FROM usage WHERE user_id IN (\(ids))")
    }

    private func rows(_ query: String, _ ids: String) async throws -> [Tree] {
        let text = try await deployment.sql(
            "SELECT coalesce(json_agg(rows), '[]') FROM (\(query) IN (\(ids))) AS rows")
        return Tree(text).array
    }

    private static let turns = """
        SELECT t.id, c.owner_id AS owner, coalesce(c.external_id, '') AS conversation,
            encode(t.parent_hash, 'hex') AS parent, encode(t.hash, 'hex') AS hash, t.position,
            t.status, t.role, coalesce(nullif(t.content, '')::json ->> 'content', '') AS text
        FROM turns t JOIN conversations c ON c.id = t.conversation_id WHERE c.owner_id
        """

    private static let completions =
        "SELECT id, owner_id AS owner FROM stored_completions WHERE owner_id"

    private static let usage = """
        SELECT request_id AS request, source, prompt_tokens AS prompt,
            completion_tokens AS completion FROM usage WHERE user_id
        """
}
