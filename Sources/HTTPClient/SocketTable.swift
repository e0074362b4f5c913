internal import CCurl
internal import EventLoop

/// curl's sockets: what the event loop watches for it, and the connections that are kept for the next call.
///
/// Those are watched too. Whatever comes on a connection that nobody uses is no answer to the next call, but half of a
/// reply too many, or a farewell; curl itself would take it for one. So the connection is given up when it comes.
struct SocketTable {
    private struct Entry {
        /// What the event loop watches it for; nil for a socket that is not watched.
        var wish: Readiness?
        /// A connection to a provider; else it is one of curl's own.
        var isConnection = false
        var user: ObjectIdentifier?
        /// The ends of a connection that waits for the next call.
        var ports: Ports?
    }

    private var entries: [Int32: Entry] = [:]
    /// Connections that wait for the next call.
    private var kept: [Ports: Int32] = [:]

    /// Follows curl's wish for one socket. A connection whose reply has ended goes on being watched, as it is likely to
    /// be kept; one that is paused is not.
    @LoopActor mutating func change(
        _ socket: Int32, to what: Int32, for transfer: Transfer?, by client: Client
    ) {
        guard what != CURL_POLL_REMOVE else {
            if transfer?.mayLeave(socket) != true { unwatch(socket) }
            return
        }
        var wish: Readiness = []
        if what & CURL_POLL_IN != 0 { wish.insert(.readable) }
        if what & CURL_POLL_OUT != 0 { wish.insert(.writable) }
        watch(socket, for: wish, by: client)
    }

    @LoopActor private mutating func watch(
        _ socket: Int32, for wish: Readiness, by client: Client
    ) {
        let before = entries[socket]?.wish
        guard before != wish else { return }
        do {
            if before == nil {
                try Loop.watch(socket, for: wish, by: client)
            } else {
                try Loop.rewatch(socket, for: wish)
            }
            entries[socket, default: Entry()].wish = wish
        } catch {
            // Nobody will ever hear of this socket: the transfer's deadline ends it.
            unwatch(socket)
        }
    }

    @LoopActor private mutating func unwatch(_ socket: Int32) {
        guard let entry = entries[socket] else { return }
        if entry.wish != nil { Loop.forget(socket) }
        entries[socket]?.wish = nil
        if !entry.isConnection { entries[socket] = nil }
    }

    /// A connection's socket, which curl is about to connect.
    mutating func opened(_ socket: Int32) {
        entries[socket] = Entry(isConnection: true)
    }

    /// A transfer waits for something on this socket.
    @LoopActor mutating func take(_ socket: Int32, by transfer: Transfer) {
        guard let entry = entries[socket], entry.isConnection else { return }
        if let ports = entry.ports { kept[ports] = nil }
        entries[socket]?.ports = nil
        entries[socket]?.user = ObjectIdentifier(transfer)
        transfer.socket = socket
    }

    /// A transfer has left its connection, which curl keeps if the reply was whole. Else curl closes it, and does not
    /// tell of one that was not connected yet: the number may soon be that of a stranger's.
    @LoopActor mutating func leave(_ transfer: Transfer, by client: Client) {
        guard let socket = transfer.socket, let entry = entries[socket],
            entry.user == ObjectIdentifier(transfer)
        else { return }
        entries[socket]?.user = nil
        guard transfer.isComplete, let ports = transfer.ports else {
            unwatch(socket)
            entries[socket] = nil
            return
        }
        guard kept[ports] == nil else { return abandon(socket) }
        watch(socket, for: .readable, by: client)
        entries[socket]?.ports = ports
        kept[ports] = socket
    }

    /// curl closes a connection.
    mutating func closed(_ socket: Int32) {
        if let ports = entries.removeValue(forKey: socket)?.ports { kept[ports] = nil }
    }

    /// Whether this is a connection that nobody uses.
    func isKept(_ socket: Int32) -> Bool { entries[socket]?.ports != nil }

    /// Lets curl find a kept connection closed.
    @LoopActor mutating func abandon(_ socket: Int32) {
        archway_abandon(socket)
        unwatch(socket)
        if let ports = entries[socket]?.ports { kept[ports] = nil }
        entries[socket]?.ports = nil
    }

    /// Whether something has come on a kept connection, of which the event loop has not told yet. Then it is given up.
    @LoopActor mutating func hasTalked(_ ports: Ports) -> Bool {
        guard let socket = kept[ports], archway_has_input(socket) else { return false }
        abandon(socket)
        return true
    }
}

/// The ports of a connection's two ends: what curl tells of the one that it is going to use.
struct Ports: Hashable {
    let own: Int32
    let peer: Int32
}
