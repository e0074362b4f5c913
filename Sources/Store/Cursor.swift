internal import EventLoop
internal import PostgreSQL

/// The id behind which a page was to begin names no entry of the list.
package struct UnknownCursor: Error, Sendable {
    /// The only one there is.
    package init() {}
}

/// Which entries of a list to read.
package struct Slice: Sendable {
    /// The id of the entry before the first one; nil at the list's beginning.
    package var after: String?
    /// At most so many.
    package var limit: Int
    /// The newest first.
    package var isDescending: Bool

    /// All of it.
    package init(after: String? = nil, limit: Int, isDescending: Bool = false) {
        self.after = after
        self.limit = limit
        self.isDescending = isDescending
    }
}

/// Where a page begins in a list in order of time and id.
@LoopActor enum Cursor {
    /// The entry's time and id as two parameters; two nulls without an entry. `statement` finds the time by the id
    /// and, where there is one, the owner. Throws `UnknownCursor`.
    static func parameters(
        of id: String?, _ statement: Statement, owner: String? = nil, in pool: Pool
    ) async throws -> [Parameter] {
        guard let id else { return [.null, .null] }
        let values = [.text(id)] + (owner.map { [Parameter.text($0)] } ?? [])
        guard let row = try await pool.query(statement, values).first else { throw UnknownCursor() }
        return [.timestamp(try row.timestamp(0)), .text(id)]
    }
}
