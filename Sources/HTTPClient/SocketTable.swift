internal import CCurl
internal import EventLoop
internal import Glibc

/// curl's sockets: what the event loop watches for it, and the connections that are kept for the next call.
struct SocketTable {
    private var watched: Set<Int32> = []
    private var connections: Set<Int32> = []
    private var users: [Int32: ObjectIdentifier] = [:]
    /// Connections that wait for the next call.
    private var idle: Set<Int32> = []

    /// Follows curl's wish for one socket. It is also not watched while its transfer is paused.
    @LoopActor mutating func change(_ socket: Int32, to what: Int32, by client: Client) {
        guard what != CURL_POLL_REMOVE else {
            if watched.remove(socket) != nil { Loop.forget(socket) }
            return
        }
        var wish: Readiness = []
        if what & CURL_POLL_IN != 0 { wish.insert(.readable) }
        if what & CURL_POLL_OUT != 0 { wish.insert(.writable) }
        do {
            if watched.insert(socket).inserted {
                try Loop.watch(socket, for: wish, by: client)
            } else {
                try Loop.rewatch(socket, for: wish)
            }
        } catch {
            // Nobody will ever hear of this socket: the transfer's deadline ends it.
            watched.remove(socket)
        }
    }

    /// A connection's socket, which curl is about to connect.
    mutating func opened(_ socket: Int32) { connections.insert(socket) }

    /// A transfer waits for something on this socket.
    @LoopActor mutating func take(_ socket: Int32, by transfer: Transfer) {
        guard connections.contains(socket) else { return }
        users[socket] = ObjectIdentifier(transfer)
        transfer.socket = socket
        idle.remove(socket)
    }

    /// A transfer has left its connection, which curl keeps if the reply was whole. Else curl closes it, and does not
    /// tell of one that was not connected yet: the number may soon be that of a stranger's.
    @LoopActor mutating func leave(_ transfer: Transfer) {
        guard let socket = transfer.socket, users[socket] == ObjectIdentifier(transfer) else {
            return
        }
        users[socket] = nil
        if transfer.isComplete { idle.insert(socket) } else { connections.remove(socket) }
    }

    /// curl closes a connection.
    mutating func closed(_ socket: Int32) {
        connections.remove(socket)
        users[socket] = nil
        idle.remove(socket)
    }

    /// Whatever comes on a connection that nobody uses is no answer to the next call: half of a reply too many, or a
    /// farewell. curl itself would take it for one.
    mutating func abandonTalkers() {
        guard !idle.isEmpty else { return }
        var questions = idle.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard unsafe poll(&questions, nfds_t(questions.count), 0) > 0 else { return }
        for question in questions where question.revents != 0 {
            archway_abandon(question.fd)
            idle.remove(question.fd)
        }
    }
}
