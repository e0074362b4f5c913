/// One key of the configuration file.
package struct ConfigurationKey: Sendable {
    /// Where it stands: `<name>` is any name, `[]` each element of a list.
    package let path: String
    /// What it does, in Markdown.
    package let meaning: String
    /// The unit or form of its value; nil where the meaning says it.
    package let unit: String?
    /// What holds if it is absent; nil if it must be there.
    package let fallback: String?

    init(_ path: String, _ meaning: String, unit: String? = nil, default fallback: String?) {
        self.path = path
        self.meaning = meaning
        self.unit = unit
        self.fallback = fallback
    }
}

extension Configuration {
    /// All keys there are, by topic. `Docs/configuration.md` lists exactly these.
    package static let topics: [(title: String, keys: [ConfigurationKey])] = [
        ("The service", serviceKeys), ("Who may do what", accessKeys), ("Requests", requestKeys),
        ("Providers", providerKeys), ("Models", modelKeys),
    ]

    /// All keys there are. A file may have no other.
    static let keys: [ConfigurationKey] = topics.flatMap(\.keys)

    private static let serviceKeys: [ConfigurationKey] = [
        .init(
            "socket",
            "The UNIX socket where the web server reaches us, unless systemd hands one over.",
            unit: "absolute path, at most 107 bytes", default: "/run/archway/archway.sock"),
        .init(
            "workers", "Worker processes. `auto` is one for each processor.",
            unit: "1 to 1024, or auto", default: "auto"),
        .init(
            "streams_per_worker",
            "Requests that one worker serves at the same time; more get a 503.",
            unit: "1 to 100000", default: "4000"),
        .init(
            "drain_timeout", "How long requests may go on after a worker was told to stop.",
            unit: "seconds, 0 to 86400", default: "600"),
        .init(
            "database", "Where PostgreSQL is: a connection string of libpq.",
            default: "host=/var/run/postgresql dbname=archway"),
        .init(
            "database_pool", "Connections to PostgreSQL that a worker keeps.",
            unit: "1 to 100", default: "4"),
        .init(
            "statement_timeout", "How long PostgreSQL may work on one statement.",
            unit: "seconds, 0.1 to 600", default: "5"),
        .init(
            "spool",
            "The folder where turns, usage and audit rows wait while PostgreSQL cannot take them. "
                + "They hold what was said, so it is made for the service's user alone (0700). "
                + "Each host has its own, which outlasts restarts: workers find there who has died.",
            unit: "absolute path; its parent must be there", default: "/var/lib/archway/spool"),
        .init(
            "spool_limit",
            "What one worker may leave there. What does not fit is lost, and logged.",
            unit: "bytes, or with a suffix KiB or MiB; at most 1024 MiB", default: "256 MiB"),
    ]

    private static let accessKeys: [ConfigurationKey] = [
        .init(
            "pepper",
            "The secret under which API tokens are digested. All hosts need the same one.",
            unit: "at least 32 characters", default: nil),
        .init(
            "pepper_version",
            "The number of this pepper. A new pepper needs a new number, or old tokens "
                + "look forged.", unit: "1 to 32767", default: "1"),
        .init(
            "token_lifetime", "How long a new API token is good if nothing else is asked for.",
            unit: "days, 1 to 36500", default: "90"),
        .init(
            "auth_cache_grace",
            "How long a token that was valid when PostgreSQL was last heard of is believed while it "
                + "cannot be asked. 0: not at all.",
            unit: "seconds, 0 to 86400", default: "300"),
        .init(
            "anonymous", "Whether requests without any identity are served, as the default role.",
            unit: "true or false", default: "false"),
        .init("default_role", "The role of a user who was given none.", default: "user"),
        .init(
            "roles.<name>.actions",
            "What users of this role may do. Built in are `admin` (everything), "
                + "`user` (everything but `admin`) and `pending` (nothing); only `user` may be redefined.",
            unit: "list of \(Action.allCases.map(\.rawValue).joined(separator: ", "))", default: nil
        ),
        .init(
            "roles.<name>.models", "Models that users of this role may use.",
            unit: "list of model ids, or \"*\" for all", default: "\"*\""),
    ]

    private static let requestKeys: [ConfigurationKey] = [
        .init(
            "body_limit", "The largest request body that is read.",
            unit: "bytes, or with a suffix KiB or MiB; at most 1024 MiB", default: "64 MiB"),
        .init(
            "keep_alive",
            "Silence in a stream after which a comment is sent, so that nobody in between "
                + "closes it.", unit: "seconds, 1 to 300", default: "15"),
        .init(
            "first_event_hold",
            "How long the status of a stream waits for the provider's first event, so "
                + "that a failure can still be a status.", unit: "seconds, 0 to 60", default: "10"),
        .init(
            "idempotency_lifetime",
            "How long the reply to a request with an `Idempotency-Key` is kept, to be sent again.",
            unit: "seconds, 60 to 604800", default: "86400"),
        .init(
            "conversation_headers",
            "Request headers that name a conversation; the first one present counts.",
            unit: "list of header names", default: "[X-OpenWebUI-Chat-Id]"),
        .init(
            "task_headers",
            "Request headers whose presence with a value makes a request a side request "
                + "(title, tags, follow-ups): not stored, no retrieval, no system prompt of ours.",
            unit: "list of header names", default: "[X-OpenWebUI-Task, X-Archway-Task]"),
        .init(
            "side_request_prefixes",
            "Beginnings by which the only message of a request that has no task "
                + "header and is not streamed makes it a side request; `### Task:` only "
                + "where `<chat_history>` follows.", unit: "list of texts",
            default: "[\"### Task:\", \"Available Tools:\", \"Your task is to reflect\", "
                + "\"You have been provided with a set of responses\"]"),
    ]

    private static let providerKeys: [ConfigurationKey] = [
        .init(
            "providers.<name>.kind",
            "The wire that the provider speaks. A provider `extractive`, which "
                + "quotes the knowledge base without any LLM, is built in.",
            unit: "openai, ollama or extractive", default: nil),
        .init(
            "providers.<name>.base_url",
            "Where it is reached, including its version path: "
                + "`http://host:8000/v1` for `openai`, `http://host:11434` for `ollama`. Not for `extractive`.",
            unit: "http or https URL without user, query or fragment", default: nil),
        .init(
            "providers.<name>.api_key",
            "Sent as a bearer token. Best written as `${file:}` or `${env:}`.",
            default: "none"),
        .init(
            "providers.<name>.ca_file",
            "A PEM file of certificate authorities to trust besides the system's: for a provider whose certificate "
                + "the house has issued itself. TLS is always verified.",
            unit: "absolute path", default: "none"),
        .init(
            "providers.<name>.deadlines.connect", "Name look-up and TCP.",
            unit: "seconds, 0.1 to 300", default: "5"),
        .init(
            "providers.<name>.deadlines.tls", "The TLS handshake, from when TCP stands.",
            unit: "seconds, 0.1 to 300", default: "5"),
        .init(
            "providers.<name>.deadlines.first_byte",
            "From the call to the first byte of the answer.",
            unit: "seconds, 0.1 to 86400", default: "60"),
        .init(
            "providers.<name>.deadlines.between_bytes",
            "Silence within an answer; a comment breaks it too.",
            unit: "seconds, 0.1 to 86400", default: "60"),
        .init(
            "providers.<name>.deadlines.total", "From the call to the end of the answer.",
            unit: "seconds, 0.1 to 86400", default: "1800"),
        .init(
            "providers.<name>.circuit_breaker.failures",
            "Failures in a row after which the provider is not asked for a while: no connection, a deadline, "
                + "a status of 500 or more, an answer that breaks off or cannot be read. All workers count "
                + "together. 0 is never.", unit: "0 to 1000", default: "5"),
        .init(
            "providers.<name>.circuit_breaker.pause",
            "How long it is not asked then. One request tries again after that; while that fails the pause is "
                + "doubled, up to 60 seconds.", unit: "seconds, 0.1 to 3600", default: "5"),
        .init(
            "providers.<name>.max_concurrent",
            "Calls of the provider that may run at the same time, of all workers together; beyond it the next "
                + "candidate is asked, or the request gets a 503.",
            unit: "1 to 100000", default: "1000"),
        .init(
            "providers.<name>.num_ctx",
            "The context window to ask for; `ollama` only. Without it Ollama's "
                + "own default cuts long conversations silently.",
            unit: "text tokens, 256 to 16777216", default: "none"),
        .init(
            "providers.<name>.discover",
            "Whether the provider's own models are offered too, under their "
                + "own names; `ollama` only.", unit: "true or false", default: "true"),
    ]

    private static let modelKeys: [ConfigurationKey] = [
        .init(
            "models[].id", "The name by which callers ask for the model.",
            unit: "1 to 200 characters", default: nil),
        .init("models[].name", "The name that people see in a list.", default: "the id"),
        .init(
            "models[].candidates[].provider",
            "Who answers. Candidates are tried in their order, unless one has a `weight`.",
            unit: "name of a provider", default: nil),
        .init(
            "models[].candidates[].model",
            "The model's name at that provider. Must be there for every "
                + "kind but `extractive`.", default: "none"),
        .init(
            "models[].candidates[].weight",
            "How often the candidate is the first to be tried: the order is drawn for each request, by the "
                + "weights of those that are left. Beside one that has a weight, none is 1; 0 is for when all "
                + "others have failed.", unit: "0 to 1000000", default: "none"),
        .init(
            "models[].system_prompt",
            "Put in front of the caller's instructions in chat completions; text completions take none.",
            default: "none"),
        .init(
            "models[].parameters.default",
            "Parameters for callers who do not set them, as in `{ temperature: 0.2, stop: [END] }`; "
                + "numbers are sent as they are written here.",
            unit: "mapping of parameters to values as JSON has them", default: "{}"),
        .init(
            "models[].parameters.rename",
            "Parameters that the provider calls otherwise, as in "
                + "`{ max_completion_tokens: max_tokens }`. Comes after `default`; where the request has "
                + "both names, the provider's own counts.",
            unit: "mapping of names to names", default: "{}"),
        .init(
            "models[].parameters.drop",
            "Parameters that the provider does not get to see. Comes last.",
            unit: "list of parameter names", default: "[]"),
        .init(
            "models[].validate",
            "Whether an answer is checked when its request asks for JSON by `response_format`: it is "
                + "held back until it is whole and fits, a wrong one is sent back to the model once, and "
                + "what is wrong again is an error.",
            unit: "true or false", default: "false"),
        .init(
            "models[].retrieval.collections",
            "Collections in which passages for the question are looked up. "
                + "Without `retrieval` none are.",
            unit: "list of collection names, each of 1 to 64 letters, digits, `-`, `_` or `.`",
            default: nil),
        .init(
            "models[].retrieval.passages", "Passages that are given to the model, at most.",
            unit: "1 to 50", default: "6"),
        .init(
            "models[].retrieval.dialect",
            "How citations are told: `annotations` as OpenAI does, "
                + "`openwebui` as events of Open WebUI, `markdown` as a block below the answer; `auto` is "
                + "`openwebui` for Open WebUI and `annotations` for all others.",
            unit: "auto, annotations, openwebui or markdown", default: "auto"),
        .init(
            "models[].on_disconnect",
            "What happens to a chat's answer when the caller leaves: `abort` stops the "
                + "provider at once, `finish` lets it go on and stores all of it.",
            unit: "abort or finish", default: "abort"),
        .init(
            "models[].task_model", "The model that answers side requests instead of this one.",
            unit: "id of a model", default: "none"),
        .init(
            "models[].allowed_roles", "Roles that may use the model.",
            unit: "list of role names, or \"*\" for all", default: "\"*\""),
    ]
}
