internal import CCurl
internal import Glibc

/// Why an exchange with a provider failed.
package struct ClientError: Error, Sendable {
    /// What a caller can act upon.
    package enum Kind: Sendable, Equatable {
        /// No connection: name not found, refused, no route.
        case unreachable
        /// No trusted TLS session.
        case tls
        /// A deadline ran out.
        case timedOut(Phase)
        /// The connection broke before the reply was whole.
        case disconnected
        /// What came is not an HTTP reply that we understand.
        case badResponse
        /// The reply is larger than the reader allows.
        case tooLarge
        /// The call itself cannot be sent: scheme, URL or header fields.
        case invalidCall
        /// This process has no descriptor left for a connection.
        case exhausted
    }

    /// The deadline that ran out (see `Deadlines`).
    package enum Phase: Sendable, Equatable {
        case connect, tls, firstByte, betweenBytes, total
    }

    /// What happened.
    package var kind: Kind
    /// More of it for the log. Names no URL and no field value.
    package var detail: String

    /// An error from its parts.
    package init(_ kind: Kind, _ detail: String = "") {
        self.kind = kind
        self.detail = detail
    }
}

extension ClientError: CustomStringConvertible, CustomDebugStringConvertible {
    /// Safe for a caller: nothing of the provider.
    package var description: String {
        switch kind {
        case .unreachable: "The provider cannot be reached."
        case .tls: "No secure connection to the provider."
        case .timedOut: "The provider took too long."
        case .disconnected: "The provider broke the connection."
        case .badResponse: "The provider's reply cannot be understood."
        case .tooLarge: "The provider's reply is too large."
        case .invalidCall: "The provider cannot be called."
        case .exhausted: "The gateway has no connection left for the provider."
        }
    }

    /// For the log.
    package var debugDescription: String { "\(kind): \(detail)" }
}

extension ClientError {
    /// The error that curl's `result` stands for. Of the deadlines curl knows only how long it may take to connect.
    init(result: CURLcode, systemError: Int) {
        let reason = unsafe String(cString: curl_easy_strerror(result))
        // A handle keeps the number of an earlier failure, also that of another call.
        let isOfSystem =
            systemError != 0
            && [CURLE_COULDNT_CONNECT, CURLE_SEND_ERROR, CURLE_RECV_ERROR].contains(result)
        self.init(
            Self.kind(of: result), isOfSystem ? "\(reason) (errno \(systemError))" : reason)
    }

    /// Another descriptor can be opened.
    private static var hasDescriptor: Bool {
        let copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return errno != EMFILE && errno != ENFILE }
        close(copy)
        return true
    }

    private static func kind(of result: CURLcode) -> Kind {
        switch result {
        case CURLE_OPERATION_TIMEDOUT: .timedOut(.connect)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED:
            // curl does not tell why it has no socket.
            hasDescriptor ? .unreachable : .exhausted
        case CURLE_URL_MALFORMAT: .invalidCall
        case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING:
            .disconnected
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED, CURLE_SSL_ENGINE_INITFAILED:
            .tls
        default: .badResponse
        }
    }
}
