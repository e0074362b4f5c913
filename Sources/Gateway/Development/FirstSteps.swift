/// What a person can paste into another terminal.
struct FirstSteps {
    /// What the model `docs` speaks of.
    enum Subject {
        /// The project's own documentation.
        case documentation
        /// Whatever is in the collection `docs`.
        case collection
        /// Nobody but the person knows: the model is the person's own.
        case own
    }

    let state: DevelopmentState
    let port: UInt16
    var subject = Subject.documentation
    /// The admin's token is good.
    var hasToken = true

    var text: String {
        """

        Archway answers at \(base). \(hasToken ? request : noToken)
        Logs: \(state.logs)
        Ctrl-C stops everything; the data stays in \(state.folder).

        """
    }

    private var noToken: String {
        """
        The admin has no token that is good, for the reason above.
        Commands reach this run by --state \(quoted(state.folder)); a new token is made at the next start.

        """
    }

    private var request: String {
        let token = quoted(state.adminToken)
        return """
            \(invitation)

            curl -sSN \(base)/chat/completions \\
              -H "Authorization: Bearer $(cat \(token))" \\
              -H 'Content-Type: application/json' \\
              -d '{"model": "docs", "stream": true, "messages": [{"role": "user", "content": "\(question)"}]}'

            The same with the Python SDK (pip install openai):

            ARCHWAY_TOKEN="$(cat \(token))" python3 - <<'END'
            import os, openai
            client = openai.OpenAI(base_url="\(base)", api_key=os.environ["ARCHWAY_TOKEN"])
            question = {"role": "user", "content": "\(question)"}
            for chunk in client.chat.completions.create(model="docs", messages=[question], stream=True):
                for choice in chunk.choices:
                    print(choice.delta.content or "", end="", flush=True)
            print()
            END

            The admin's token: \(state.adminToken)
            """
    }

    private var invitation: String {
        switch subject {
        case .documentation: "Ask the documentation, in another terminal:"
        case .collection:
            """
            The model docs quotes what is in the collection docs. Put something there:

            archway ingest FOLDER --collection docs --state \(quoted(state.folder))

            Then ask for it, in another terminal:
            """
        case .own: "Ask your model docs, in another terminal:"
        }
    }

    private var question: String {
        switch subject {
        case .documentation: "What happens to running answers when Archway is stopped?"
        case .collection: "What do you know?"
        case .own: "Hello there"
        }
    }

    private var base: String { "http://127.0.0.1:\(port)/v1" }

    /// For a shell, also inside of double quotes and `$(…)`, where single quotes hold.
    private func quoted(_ path: String) -> String {
        "'"
            + path.split(separator: "'", omittingEmptySubsequences: false).joined(
                separator: "'\\''") + "'"
    }
}
