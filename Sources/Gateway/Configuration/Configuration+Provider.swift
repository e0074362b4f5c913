package import HTTPClient

extension Configuration {
    /// A server that answers, or the knowledge base itself.
    package struct Provider: Sendable {
        /// The wires that we know.
        package enum Kind: String, Sendable, CaseIterable {
            case openai, ollama, extractive
        }

        /// The wire that it speaks.
        package var kind = Kind.openai
        /// Where it is, without a slash at the end; empty for `extractive` only.
        package var baseURL = ""
        /// Its bearer token.
        package var apiKey: Secret?
        /// A PEM file of authorities that are trusted besides the system's.
        package var authorities: String?
        /// How long to wait for it.
        package var deadlines = Deadlines()
        /// When it is not asked for a while.
        package var breaker = CircuitBreaker()
        /// Calls that may run at the same time, of all workers together.
        package var maxConcurrent = 1000
        /// Text tokens of the context window to ask Ollama for.
        package var contextLength: Int?
        /// Whether its own models are offered too.
        package var discoversModels = false

        /// A provider of a kind, at a base URL.
        package init(kind: Kind, baseURL: String = "") {
            self.kind = kind
            self.baseURL = baseURL
            discoversModels = kind == .ollama
        }

        /// A circuit breaker.
        package struct CircuitBreaker: Sendable, Equatable {
            /// Failures in a row that open it; 0 for never.
            package var failures = 5
            /// Seconds until one call may try again.
            package var pause = 5.0
        }

        /// Quotes the knowledge base.
        package static let extractive = Provider(kind: .extractive)
    }
}

extension Configuration.Provider {
    init(_ section: Section) {
        section.require("kind")
        section.read("kind", into: &kind, as: .word)
        if kind == .extractive {
            section.refuse(
                "base_url", "api_key", "ca_file", "deadlines", "circuit_breaker", "max_concurrent",
                because: "is not for extractive")
        } else {
            readAddress(section)
            readDeadlines(section.section("deadlines"))
            readBounds(section)
        }
        if kind == .ollama {
            readOllama(section)
        } else {
            section.refuse("num_ctx", "discover", because: "is for the kind ollama only")
        }
    }

    private mutating func readAddress(_ section: Section) {
        if section["kind"] != nil { section.require("base_url") }
        section.read("base_url", into: &baseURL, as: .baseURL)
        while baseURL.last == "/" { baseURL.removeLast() }
        section.read("api_key", into: &apiKey, as: Reading<Secret>.secret().optional)
        section.read("ca_file", into: &authorities, as: Reading<String>.file.optional)
    }

    private mutating func readDeadlines(_ section: Section) {
        section.read("connect", into: &deadlines.connect, as: .seconds(0.1...300))
        section.read("tls", into: &deadlines.tls, as: .seconds(0.1...300))
        section.read("first_byte", into: &deadlines.firstByte, as: .seconds(0.1...86400))
        section.read("between_bytes", into: &deadlines.betweenBytes, as: .seconds(0.1...86400))
        section.read("total", into: &deadlines.total, as: .seconds(0.1...86400))
    }

    private mutating func readBounds(_ section: Section) {
        let breaker = section.section("circuit_breaker")
        breaker.read("failures", into: &self.breaker.failures, as: .integer(0...1000))
        breaker.read("pause", into: &self.breaker.pause, as: .seconds(0.1...3600))
        section.read("max_concurrent", into: &maxConcurrent, as: .integer(1...100_000))
    }

    private mutating func readOllama(_ section: Section) {
        discoversModels = true
        let contextLengths = Reading<Int>.integer(256...16_777_216)
        section.read("num_ctx", into: &contextLength, as: contextLengths.optional)
        section.read("discover", into: &discoversModels, as: .boolean)
    }
}

extension Reading<String> {
    fileprivate static let file = text("an absolute path") {
        $0.first == "/" && !$0.utf8.contains(0)
    }

    /// Keys belong into `api_key`, where they are not shown.
    fileprivate static let baseURL = text(
        "an http or https URL without user, query or fragment"
    ) { $0.isBaseURL }
}
