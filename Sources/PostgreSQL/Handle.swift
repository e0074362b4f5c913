internal import CPostgreSQL
internal import Glibc

/// A `PGconn`; freed, and its socket closed, with the object (`PQfinish`).
@safe final class Handle {
    private let pointer: OpaquePointer

    /// `PQconnectStartParams`: starts an attempt and does not wait for it.
    init(words: [(key: String, value: String)]) throws(DatabaseError) {
        let keys = unsafe words.map { unsafe strdup($0.key) }
        let values = unsafe words.map { unsafe strdup($0.value) }
        defer { unsafe (keys + values).forEach { unsafe free($0) } }
        let keyList = unsafe keys.map { unsafe UnsafePointer($0) } + [nil]
        let valueList = unsafe values.map { unsafe UnsafePointer($0) } + [nil]
        guard let pointer = unsafe PQconnectStartParams(keyList, valueList, 0) else {
            throw .unavailable("libpq is out of memory")
        }
        unsafe self.pointer = pointer
        // Otherwise libpq prints notices to standard error.
        unsafe PQsetNoticeProcessor(pointer, { _, _ in }, nil)
    }

    deinit { unsafe PQfinish(pointer) }

    var socket: Int32 { unsafe PQsocket(pointer) }
    var isBad: Bool { unsafe PQstatus(pointer) == CONNECTION_BAD }
    var isBusy: Bool { unsafe PQisBusy(pointer) == 1 }
    var isOutsideTransaction: Bool { unsafe PQtransactionStatus(pointer) == PQTRANS_IDLE }
    /// Host and user may stand here, a password never.
    var message: String { unsafe String(cString: PQerrorMessage(pointer)) }

    func poll() -> PostgresPollingStatusType { unsafe PQconnectPoll(pointer) }
    func setNonBlocking() -> Bool { unsafe PQsetnonblocking(pointer, 1) == 0 }
    /// 0 all sent, 1 more to send, -1 failed.
    func flush() -> Int32 { unsafe PQflush(pointer) }
    func consumeInput() -> Bool { unsafe PQconsumeInput(pointer) == 1 }

    func sendScript(_ sql: String) -> Bool { unsafe PQsendQuery(pointer, sql) == 1 }

    func sendPrepare(_ statement: Statement) -> Bool {
        unsafe PQsendPrepare(pointer, statement.name, statement.cString, 0, nil) == 1
    }

    /// Executes a prepared statement, or (`named` false) parses and executes in the same message.
    func send(_ statement: Statement, _ parameters: ParameterBuffer, named: Bool) -> Bool {
        unsafe parameters.bytes.withUnsafeBufferPointer { bytes in
            let values = unsafe parameters.starts.map { start -> UnsafePointer<CChar>? in
                guard let start, let base = bytes.baseAddress else { return nil }
                return unsafe UnsafeRawPointer(base + start).assumingMemoryBound(to: CChar.self)
            }
            let count = Int32(clamping: parameters.starts.count)
            if named {
                return unsafe PQsendQueryPrepared(
                    pointer, statement.name, count, values, parameters.lengths,
                    parameters.formats, 1) == 1
            }
            return unsafe PQsendQueryParams(
                pointer, statement.cString, count, nil, values, parameters.lengths,
                parameters.formats, 1) == 1
        }
    }

    /// The next result of the running command, nil at its end (`PQgetResult`). Only when not busy.
    func nextResult() -> QueryResult? {
        unsafe PQgetResult(pointer).map { unsafe QueryResult($0) }
    }

    /// The next notification that has arrived (`PQnotifies`).
    func nextNotification() -> (channel: String, payload: String)? {
        guard let notification = unsafe PQnotifies(pointer) else { return nil }
        defer { unsafe PQfreemem(notification) }
        return (
            channel: unsafe String(cString: notification.pointee.relname),
            payload: unsafe String(cString: notification.pointee.extra)
        )
    }
}

/// A `PGresult`; freed with the object (`PQclear`).
@safe final class QueryResult {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe PQclear(pointer) }

    var status: ExecStatusType { unsafe PQresultStatus(pointer) }

    /// The error of a failed statement named `statement`. Without a SQLSTATE libpq itself made it:
    /// the connection is lost.
    func error(_ statement: String) -> DatabaseError {
        guard let sqlstate = field("C") else {
            return .unavailable("connection lost during \(statement)", isOutcomeUnknown: true)
        }
        return .server(
            sqlstate, constraint: field("n"), message: field("M") ?? "", statement: statement)
    }

    /// `PQresultErrorField`; the codes are letters of the protocol (`PG_DIAG_…`).
    private func field(_ code: Unicode.Scalar) -> String? {
        unsafe PQresultErrorField(pointer, Int32(code.value)).map { unsafe String(cString: $0) }
    }

    /// All rows, copied, so that they may outlive this object.
    func rows() -> [Row] {
        let rowCount = unsafe PQntuples(pointer)
        let columnCount = unsafe PQnfields(pointer)
        guard rowCount > 0 else { return [] }
        var bytes: [UInt8] = []
        var starts: [Int] = []
        var ends: [Int] = []
        starts.reserveCapacity(Int(rowCount) * Int(columnCount))
        ends.reserveCapacity(Int(rowCount) * Int(columnCount))
        for row in 0..<rowCount {
            for column in 0..<columnCount {
                starts.append(bytes.count)
                if unsafe PQgetisnull(pointer, row, column) == 1 {
                    ends.append(-1)
                    continue
                }
                let length = Int(unsafe PQgetlength(pointer, row, column))
                unsafe bytes += UnsafeRawBufferPointer(
                    start: PQgetvalue(pointer, row, column), count: length)
                ends.append(bytes.count)
            }
        }
        let types = (0..<columnCount).map { unsafe PQftype(pointer, $0) }
        let table = Row.Table(types: types, bytes: bytes, starts: starts, ends: ends)
        return (0..<Int(rowCount)).map { Row(table: table, index: $0) }
    }
}

extension Statement {
    /// A literal lives as long as the process and ends with a NUL.
    fileprivate var cString: UnsafePointer<CChar>? {
        guard sql.hasPointerRepresentation else { return nil }
        return unsafe UnsafeRawPointer(sql.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
