internal import CCurl
internal import EventLoop

/// What the event loop watches for curl.
struct SocketTable {
    private var watched: Set<Int32> = []

    /// Follows curl's wish for one socket.
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
}
