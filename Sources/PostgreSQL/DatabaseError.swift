/// Why a statement, a connection or a decoded field failed.
///
/// `description` is safe for a caller: no SQL, no value, no host. `debugDescription` is for the log:
/// it names the statement, the SQLSTATE and the constraint, and still no parameter's value (the
/// server's DETAIL, and its message in the classes that quote input, are dropped on arrival).
package struct DatabaseError: Error, Sendable, Hashable {
    /// What a caller can do about it.
    package enum Kind: Sendable, Hashable {
        /// No connection, a timeout, a server that is down, full, starting or read-only: try later.
        case unavailable
        /// Serialization failure or deadlock: the whole transaction may be repeated.
        case conflict
        /// The server refused the statement; its five-character SQLSTATE.
        case statement(String)
    }

    package let kind: Kind
    /// Five characters of the server, or nil when the fault is on our side of the wire.
    package let sqlstate: String?
    /// The name of the violated constraint, if there is one.
    package let constraint: String?
    /// The statement was handed to the server and its outcome never came back, so that it may have
    /// taken effect. False means: it certainly did not.
    package let isOutcomeUnknown: Bool
    let detail: String

    /// 23505: a row with the same key is there already.
    package var isUniqueViolation: Bool { sqlstate == "23505" }

    /// The connection cannot be used any more.
    var endsConnection: Bool {
        guard let sqlstate else { return false }
        return sqlstate.hasPrefix("08") || sqlstate.hasPrefix("57P") || sqlstate == "25006"
    }

    /// The server forgot (a pooler between us) or outgrew (a migration) a prepared statement.
    var isStaleStatement: Bool {
        sqlstate == "26000" || sqlstate == "42P05" || sqlstate == "0A000"
    }

    /// A fault on our side of the wire, or of the wire.
    package static func unavailable(_ detail: String, isOutcomeUnknown: Bool = false)
        -> DatabaseError
    {
        DatabaseError(
            kind: .unavailable, sqlstate: nil, constraint: nil,
            isOutcomeUnknown: isOutcomeUnknown, detail: detail)
    }

    /// A value that the server would refuse, or a field that has another type than asked for.
    static func refused(_ sqlstate: String, _ detail: String) -> DatabaseError {
        DatabaseError(
            kind: .statement(sqlstate), sqlstate: sqlstate, constraint: nil,
            isOutcomeUnknown: false, detail: detail)
    }

    /// An error result of the server, for a statement named `statement`.
    static func server(
        _ sqlstate: String, constraint: String?, message: String, statement: String
    ) -> DatabaseError {
        // Class 22 (data) and 23 (integrity) and 42601/42846 style messages may quote the input.
        let quotesInput = sqlstate.hasPrefix("22") || sqlstate.hasPrefix("23")
        return DatabaseError(
            kind: classify(sqlstate), sqlstate: sqlstate, constraint: constraint,
            isOutcomeUnknown: false,
            detail: "statement \(statement)" + (quotesInput ? "" : ": \(message)"))
    }

    /// A session that could not be opened. libpq tells no SQLSTATE then, only the server's English words; those that
    /// an operator can act upon are known here.
    static func connecting(_ message: String) -> DatabaseError {
        let sqlstate = sayings.first { message.contains($0.saying) }?.sqlstate
        return DatabaseError(
            kind: .unavailable, sqlstate: sqlstate, constraint: nil, isOutcomeUnknown: false,
            detail: "connecting: \(message)")
    }

    private static let sayings: [(saying: String, sqlstate: String)] = [
        ("too many clients already", "53300"), ("remaining connection slots", "53300"),
        ("too many connections for", "53300"), ("authentication failed", "28P01"),
        ("no pg_hba.conf entry", "28000"), ("is not permitted to log in", "28000"),
        ("session is read-only", "25006"), ("session is not read-only", "25006"),
        ("is in recovery", "25006"), ("does not exist", "3D000"),
        ("starting up", "57P03"), ("shutting down", "57P03"),
    ]

    /// Classes of Appendix A of PostgreSQL's manual that heal without a change of the statement: an operator's fault
    /// of rights, of passwords or of a schema that is not there yet is no fault of who asks.
    static func classify(_ sqlstate: String) -> Kind {
        switch sqlstate {
        case "40001", "40P01": .conflict
        case "25006", "25P03", "55P03": .unavailable
        case "42501", "42P01", "42703", "42883", "3D000", "3F000": .unavailable
        case "57014": .unavailable
        case _ where sqlstate.hasPrefix("28"): .unavailable
        case _ where sqlstate.hasPrefix("08"): .unavailable
        case _ where sqlstate.hasPrefix("53"): .unavailable
        case _ where sqlstate.hasPrefix("57P"): .unavailable
        case _ where sqlstate.hasPrefix("58"): .unavailable
        default: .statement(sqlstate)
        }
    }
}

extension DatabaseError: CustomStringConvertible, CustomDebugStringConvertible {
    /// Safe for a caller.
    package var description: String {
        switch kind {
        case .unavailable: "The database is not available."
        case .conflict: "The database found a conflict between concurrent changes."
        case .statement(let sqlstate): "The database refused a statement (SQLSTATE \(sqlstate))."
        }
    }

    /// For the log.
    package var debugDescription: String {
        var parts = ["\(kind)"]
        if let sqlstate, kind != .statement(sqlstate) { parts.append("SQLSTATE \(sqlstate)") }
        if let constraint { parts.append("constraint \(constraint)") }
        if isOutcomeUnknown { parts.append("outcome unknown") }
        parts.append(detail)
        return parts.joined(separator: ", ")
    }
}
