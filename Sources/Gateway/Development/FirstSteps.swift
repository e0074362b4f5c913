/// What a person can paste into another terminal.
struct FirstSteps {
    let state: DevelopmentState
    let port: UInt16

    private static let question = "What happens to running answers when Archway is stopped?"

    var text: String {
        let token = Self.quoted(state.adminToken)
        return """

            Archway answers at \(base). Ask the documentation, in another terminal:

            curl -sSN \(base)/chat/completions \\
              -H "Authorization: Bearer $(cat \(token))" \\
              -H 'Content-Type: application/json' \\
              -d '{"model": "docs", "stream": true, "messages": [{"role": "user", "content": "\(Self.question)"}]}'

            The same with the Python SDK (pip install openai):

            ARCHWAY_TOKEN="$(cat \(token))" python3 - <<'END'
            import os, openai
            client = openai.OpenAI(base_url="\(base)", api_key=os.environ["ARCHWAY_TOKEN"])
            question = {"role": "user", "content": "\(Self.question)"}
            for chunk in client.chat.completions.create(model="docs", messages=[question], stream=True):
                for choice in chunk.choices:
                    print(choice.delta.content or "", end="", flush=True)
            print()
            END

            The admin's token: \(state.adminToken)
            Logs: \(state.logs)
            Ctrl-C stops everything; the data stays in \(state.folder).

            """
    }

    private var base: String { "http://127.0.0.1:\(port)/v1" }

    /// For a shell inside of double quotes and `$(…)`, where single quotes hold.
    private static func quoted(_ path: String) -> String {
        "'"
            + path.split(separator: "'", omittingEmptySubsequences: false).joined(
                separator: "'\\''") + "'"
    }
}
