/// What a deployment shall be like.
package struct DeploymentPlan: Sendable {
    package var workers = 2
    package var isAnonymousAllowed = false
    /// Seconds.
    package var drainTimeout = 20
    /// Seconds.
    package var firstEventHold = 2
    package var bodyLimit = "1 MiB"
    /// The socket is opened by somebody else and handed over, as systemd does.
    package var inheritsSocket = false
    /// PostgreSQL is of this deployment alone, which may stop it.
    package var hasOwnDatabase = false
    /// A server that the test has made; it stops it too.
    package var server: TemporaryPostgreSQL?
    /// The connection string of a database by its name; nil is the server's own.
    package var database: (@Sendable (String) -> String)?
    /// Seconds.
    package var tokenGrace = 300
    /// The folder of what waits for the database; nil is one of the deployment's own.
    package var spool: String?
    package var spoolLimit = "64 MiB"
    /// More models, as lines of the configuration's list.
    package var models = ""
    /// More providers, as lines of the configuration's mapping, told the scripted provider's port.
    package var providers: @Sendable (UInt16) -> String = { _ in "" }
    /// More lines of the configuration.
    package var settings = ""
    /// More directives of nginx: for the whole of it, for the server with the snippet, and on its `listen` line.
    package var nginx = (main: "", server: "", listen: "")
    /// What a shell does before it starts the gateway, such as `ulimit -n 256`.
    package var limits = ""
    /// The gateway's standard error, if it is not the log.
    package var standardError: Int32?

    package init() {}

    /// What a test plants in order to look for it in logs. Everything secret or private begins with it.
    package nonisolated static let canary = "canary-"
    package nonisolated static let pepper = "canary-pepper-0c52e1f7a9b84d63f58e"
    package nonisolated static let providerKey = "canary-key-5be7"
    package nonisolated static let systemPrompt = "canary-system-91c0 You are brief."

    /// Models that are a behaviour of the scripted provider, under the same name.
    package nonisolated static let scripted = [
        "echo", "echo-json", "paced-20-20", "paced-20-50", "paced-20-100", "paced-40-50",
        "paced-60-50", "paced-200-50",
        "bulk-500", "bulk-3000",
        "flat-20",
        "usage", "reasoning", "refusal", "length", "content-filter", "tools", "parallel-tools",
        "agent-1", "agent-2", "choices",
        "fingerprint", "unicode", "crlf", "huge-300000", "finish-without-done", "two-done",
        "after-done",
        "slow-first-300", "slow-first-2500", "slow-first-6500", "slow-end-500", "hang",
        "hang-after-1",
        "hang-after-3", "reset-before-headers", "reset-after-3", "close-before-headers",
        "cut-after-3", "flaky-3", "status-400", "status-echo-400", "status-echo-500", "status-401",
        "status-403", "status-404",
        "status-429", "status-500", "status-503", "status-400-context", "html-200", "redirect",
        "canary", "empty", "no-done", "done-without-finish", "malformed-event", "error-event",
        "invalid-utf8", "hostile", "vector-lone", "vector-words",
    ]

    /// Models that fail in ways after which another attempt may help: each alone, and `…-then-echo` with a candidate
    /// that answers.
    private static let faulty = [
        "busy-1", "busy-1-1", "busy-9-9", "busy-9-60", "overload-9", "overload-9-60", "flaky-1",
        "flaky-reset-1", "reset-before-headers", "cut-after-40", "cut-after-60", "malformed-first",
        "malformed-late", "status-400-context", "status-400-filter", "status-400-prefill",
    ]

    /// Models with something special about them.
    private static let others = """
          - { id: checked, candidates: [ { provider: scripted, model: drafts } ], validate: true }
          - { id: checked-late, candidates: [ { provider: scripted, model: drafts-4000 } ], validate: true }
          - { id: checked-ollama, candidates: [ { provider: ollama, model: drafts } ], validate: true }
          - { id: checked-length, candidates: [ { provider: scripted, model: length } ], validate: true }
          - { id: checked-refusal, candidates: [ { provider: scripted, model: refusal } ], validate: true }
          - { id: checked-tools, candidates: [ { provider: scripted, model: tools } ], validate: true }
          - { id: checked-huge, candidates: [ { provider: scripted, model: huge-300000 } ], validate: true }
          - { id: checked-cut, candidates: [ { provider: scripted, model: cut-after-3 } ], validate: true }
          - { id: unchecked, candidates: [ { provider: scripted, model: drafts } ] }
          - id: adjusted
            candidates: [ { provider: dead, model: x }, { provider: scripted, model: echo-json } ]
            parameters:
              default: { temperature: 0.20, top_p: 1e-1, chat_template_kwargs: { deep: [ 1.50 ] }, max_tokens: 9 }
              rename: { max_tokens: max_completion_tokens }
              drop: [user, seed]
          - id: adjusted-ollama
            candidates: [ { provider: ollama, model: echo } ]
            parameters: { default: { temperature: 0.20 }, drop: [seed] }
          - id: checked-adjusted
            candidates: [ { provider: scripted, model: drafts } ]
            validate: true
            parameters:
              default: { response_format: { type: json_object }, temperature: 0.20 }
              rename: { response_format: guided_json }
          - { id: dead, candidates: [ { provider: dead, model: echo } ] }
          - { id: late, candidates: [ { provider: hasty, model: hang } ] }
          - { id: stalls, candidates: [ { provider: stalling, model: hang-after-3 } ] }
          - { id: later, candidates: [ { provider: patient, model: hang } ] }
          - { id: later-busy, candidates: [ { provider: patient, model: busy-9-9 } ] }
          - id: late-then-echo
            candidates: [ { provider: hasty, model: hang }, { provider: scripted, model: echo } ]
          - id: stalls-then-echo
            candidates: [ { provider: stalling, model: hang-after-3 }, { provider: scripted, model: echo } ]
          - id: no-prefill
            candidates:
              - { provider: scripted, model: status-500 }
              - { provider: scripted, model: status-400-prefill }
          - id: ollama-or-choices
            candidates: [ { provider: ollama, model: echo }, { provider: scripted, model: choices } ]
          - id: checked-failover
            candidates: [ { provider: scripted, model: fingerprint-cut }, { provider: scripted, model: drafts } ]
            validate: true
          - id: weighted
            candidates:
              - { provider: scripted, model: usage, weight: 0 }
              - { provider: dead, model: x, weight: 1000000 }
              - { provider: scripted, model: echo }
          - id: failover
            candidates: [ { provider: dead, model: x }, { provider: scripted, model: echo } ]
          - { id: ollama-echo, candidates: [ { provider: ollama, model: echo } ] }
          - { id: ollama-tools, candidates: [ { provider: ollama, model: tools } ] }
          - id: finishes
            candidates: [ { provider: scripted, model: paced-40-50 } ]
            on_disconnect: finish
          - id: finishes-late
            candidates: [ { provider: scripted, model: slow-first-300 } ]
            on_disconnect: finish
          - id: prompted
            candidates: [ { provider: scripted, model: echo-json } ]
            system_prompt: \(Self.systemPrompt)
            task_model: echo
          - id: for-admins
            candidates: [ { provider: scripted, model: echo } ]
            allowed_roles: [admin]
          - id: quotes
            candidates: [ { provider: extractive } ]
            retrieval: { collections: [handbook] }
          - id: cites
            candidates: [ { provider: scripted, model: echo } ]
            retrieval: { collections: [handbook] }
          - id: informed
            candidates: [ { provider: scripted, model: echo-json } ]
            retrieval: { collections: [handbook] }
        """

    /// The configuration file.
    func configuration(
        folder: String, socket: String, database: String, providerPort: UInt16, deadPort: UInt16
    ) -> String {
        let spool = spool ?? folder + "/spool"
        let faulty = Self.faulty.filter { !Self.scripted.contains($0) }
        let scripted = (Self.scripted + faulty).map {
            "  - { id: \($0), candidates: [ { provider: scripted, model: \($0) } ] }\n"
        }.joined()
        let followed = Self.faulty.map {
            "  - { id: \($0)-then-echo, candidates: [ { provider: scripted, model: \($0) }, "
                + "{ provider: scripted, model: echo } ] }\n"
        }.joined()
        // Tests break these providers on purpose, and share them.
        let patience = "circuit_breaker: { failures: 0 }"
        return """
            socket: \(socket)
            workers: \(workers)
            database: "\(database)"
            pepper: "\(Self.pepper)"
            anonymous: \(isAnonymousAllowed)
            drain_timeout: \(drainTimeout)
            body_limit: \(bodyLimit)
            keep_alive: 1
            first_event_hold: \(firstEventHold)
            spool: \(spool)
            spool_limit: \(spoolLimit)
            auth_cache_grace: \(tokenGrace)
            \(settings)
            roles:
              reader: { actions: [models] }
              narrow: { actions: [chat, models], models: [echo] }
            providers:
              scripted:
                kind: openai
                base_url: http://127.0.0.1:\(providerPort)/v1
                api_key: \(Self.providerKey)
                \(patience)
              hasty:
                kind: openai
                base_url: http://127.0.0.1:\(providerPort)/v1
                deadlines: { first_byte: 0.4, between_bytes: 0.4 }
                \(patience)
              stalling:
                kind: openai
                base_url: http://127.0.0.1:\(providerPort)/v1
                deadlines: { first_byte: 20, between_bytes: 0.4 }
                \(patience)
              patient:
                kind: openai
                base_url: http://127.0.0.1:\(providerPort)/v1
                deadlines: { first_byte: 2.6, total: 8 }
                \(patience)
              dead: { kind: openai, base_url: "http://127.0.0.1:\(deadPort)/v1", \(patience) }
              ollama: { kind: ollama, base_url: "http://127.0.0.1:\(providerPort)", num_ctx: 4096 }
            \(providers(providerPort))
            models:
            \(scripted)\(followed)\(Self.others)
            \(models)
            """
    }
}

/// Where nginx listens in a deployment.
package enum Door: Sendable, CaseIterable {
    /// The shipped snippet.
    case site
    /// An operator's untouched nginx: `fastcgi_pass` and the stock `fastcgi_params`.
    case stock
    /// The shipped snippet, behind a password.
    case signedIn
    /// The shipped snippet; HTTP/2 without TLS, and nothing else.
    case http2
}

/// nginx's configuration for the doors.
struct NginxConfiguration {
    var folder: String
    var socket: String
    var ports: [Door: UInt16]
    var snippet: String
    var plan: DeploymentPlan
    /// nginx's workers need the rights of whoever made the socket.
    var isRoot: Bool

    var text: String {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: "\n")
        return """
            daemon off;
            pid \(folder)/nginx.pid;
            error_log \(folder)/nginx-error.log info;
            worker_processes 1;
            worker_rlimit_nofile 16384;
            \(plan.nginx.main)
            \(isRoot ? "user root;" : "")
            events { worker_connections 8192; }
            http {
                log_format requests '$request_id $status $http_x_event "$request" $body_bytes_sent';
                access_log \(folder)/nginx-access.log requests;
                \(temporary)
                upstream archway { server unix:\(socket) max_fails=0; }
                server {
                    listen 127.0.0.1:\(port(.site)) backlog=4096 \(plan.nginx.listen);
                    include \(snippet);
                    \(plan.nginx.server)
                    location / { fastcgi_pass archway; }
                }
                server {
                    listen 127.0.0.1:\(port(.http2)) http2 backlog=4096;
                    include \(snippet);
                    location / { fastcgi_pass archway; }
                }
                server {
                    listen 127.0.0.1:\(port(.stock)) backlog=4096;
                    location / {
                        fastcgi_pass unix:\(socket);
                        include /etc/nginx/fastcgi_params;
                    }
                }
                server {
                    listen 127.0.0.1:\(port(.signedIn));
                    include \(snippet);
                    location / {
                        auth_basic "Archway";
                        auth_basic_user_file \(folder)/passwords;
                        set $archway_user $remote_user;
                        fastcgi_pass archway;
                    }
                }
            }
            """
    }

    private func port(_ door: Door) -> UInt16 { ports[door] ?? 0 }
}
