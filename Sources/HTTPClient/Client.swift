internal import CCurl
package import EventLoop

/// The process's one HTTP client: curl's multi handle on the event loop.
///
/// Connections are kept and used again. Redirects are not followed, the environment's proxies are
/// ignored, TLS is verified, replies are asked for uncompressed and by HTTP/1.1: one connection a
/// stream, so that closing one and pausing one concern nobody else.
@safe @LoopActor package final class Client: Watcher {
    private static let idleHandles = 64
    private static let isCurlReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    private let multi: UnsafeMutableRawPointer?
    private var idle: [EasyHandle] = []
    var sockets = SocketTable()
    private var due: Int64?
    private var timer: Timer?
    private var timerDue = Int64.max

    /// A client without connections.
    package init() {
        unsafe multi = Self.isCurlReady ? curl_multi_init() : nil
        let this = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe archway_multi_set_callbacks(multi, receiveSocket, receiveTimeout, this)
        unsafe archway_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 256)
    }

    isolated deinit {
        timer?.cancel()
        idle = []
        unsafe curl_multi_cleanup(multi)
    }

    /// Sends `call` and returns at once. The caller closes the transfer, whatever happens.
    ///
    /// Throws `.invalidCall` for a call that must not be sent and `.unreachable` without memory.
    package func start(_ call: Call) throws(ClientError) -> Transfer {
        try call.check()
        guard let easy = idle.popLast() ?? EasyHandle() else {
            throw ClientError(.unreachable, "curl_easy_init failed")
        }
        easy.prepare(call)
        let transfer = Transfer(easy, client: self, deadlines: call.deadlines)
        let context = unsafe Unmanaged.passRetained(transfer).toOpaque()
        unsafe archway_easy_set_receivers(
            easy.pointer, receiveStart, receiveHead, receiveBody, context)
        let this = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe archway_easy_set_socket_makers(easy.pointer, openSocket, closeSocket, this)
        unsafe curl_multi_add_handle(multi, easy.pointer)
        advance(CURL_SOCKET_TIMEOUT, 0)
        return transfer
    }

    /// For the event loop.
    package func ready(_ descriptor: Int32, _ readiness: Readiness) {
        if sockets.isKept(descriptor) { return sockets.abandon(descriptor) }
        var mask: Int32 = 0
        if readiness.mayRead { mask |= CURL_CSELECT_IN }
        if readiness.mayWrite { mask |= CURL_CSELECT_OUT }
        if readiness.contains(.failed) { mask |= CURL_CSELECT_ERR }
        advance(descriptor, mask)
    }

    /// Lets a paused transfer go on; may deliver to it before it returns.
    func resume(_ easy: EasyHandle) {
        unsafe curl_easy_pause(easy.pointer, CURLPAUSE_CONT)
        setTimer()
    }

    /// Takes the handle away from curl, which closes the connection of an unfinished transfer.
    func detach(_ easy: EasyHandle) {
        unsafe curl_multi_remove_handle(multi, easy.pointer)
        if let context = unsafe archway_easy_get_private(easy.pointer) {
            let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context)
            unsafe sockets.leave(transfer.takeUnretainedValue(), by: self)
            unsafe transfer.release()
        }
        easy.forget()
        if idle.count < Self.idleHandles { idle.append(easy) }
        setTimer()
    }

    private func advance(_ socket: Int32, _ mask: Int32) {
        var running: Int32 = 0
        unsafe curl_multi_socket_action(multi, socket, mask, &running)
        var result = CURLE_OK
        var mustStart = false
        while let ended = unsafe archway_multi_next_ended(multi, &result) {
            guard let context = unsafe archway_easy_get_private(ended) else { continue }
            let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            if transfer.startsAgain() {
                unsafe curl_multi_remove_handle(multi, ended)
                unsafe curl_multi_add_handle(multi, ended)
                mustStart = true
                continue
            }
            let systemError = unsafe archway_easy_get_long(ended, CURLINFO_OS_ERRNO)
            transfer.ended(result, systemError: systemError)
        }
        if mustStart { return advance(CURL_SOCKET_TIMEOUT, 0) }
        setTimer()
    }
}

/// curl's one timer. curl moves it often and fires it seldom, so ours is only ever set earlier.
extension Client {
    func timeoutChanged(_ milliseconds: Int) {
        due = milliseconds < 0 ? nil : Loop.now + Int64(milliseconds)
    }

    private func setTimer() {
        guard let due, due < timerDue else { return }
        timer?.cancel()
        timerDue = due
        let wait = Int(max(0, due - Loop.now))
        timer = Loop.after(milliseconds: wait) { self.timerFired() }
    }

    private func timerFired() {
        timer = nil
        timerDue = .max
        guard let due, due <= Loop.now else { return setTimer() }
        self.due = nil
        advance(CURL_SOCKET_TIMEOUT, 0)
    }
}
