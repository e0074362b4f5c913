internal import CCurl
internal import EventLoop

// curl calls these on the loop's thread, from inside a call that the client made there.

func receiveStart(
    _ context: UnsafeMutableRawPointer?, _ peer: UnsafeMutablePointer<CChar>?,
    _ own: UnsafeMutablePointer<CChar>?, _ peerPort: Int32, _ ownPort: Int32
) -> Int32 {
    guard let context = unsafe context else { return CURL_PREREQFUNC_ABORT }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let ports = Ports(own: ownPort, peer: peerPort)
    return assumeOnLoop { transfer.starts(ports) } ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

func receiveHead(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let line = unsafe Array(UnsafeRawBufferPointer(start: bytes, count: count))
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return assumeOnLoop { transfer.received(headLine: line) } ? count : 0
}

func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    nonisolated(unsafe) let body = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let isTaken = assumeOnLoop { unsafe transfer.received(body: body) }
    return isTaken ? count : Int(CURL_WRITEFUNC_PAUSE)
}

func receiveSocket(
    _ easy: UnsafeMutableRawPointer?, _ socket: Int32, _ what: Int32,
    _ context: UnsafeMutableRawPointer?, _ assigned: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context = unsafe context else { return -1 }
    let client = unsafe Unmanaged<Client>.fromOpaque(context).takeUnretainedValue()
    let owner = unsafe easy.flatMap { unsafe archway_easy_get_private($0) }
    let transfer = unsafe owner.map {
        unsafe Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue()
    }
    assumeOnLoop {
        client.sockets.change(socket, to: what, for: transfer, by: client)
        guard let transfer, what != CURL_POLL_REMOVE else { return }
        client.sockets.take(socket, by: transfer)
        // Until a connection stands curl only waits to write to it.
        if what & CURL_POLL_IN != 0, archway_is_connected(socket) { transfer.connected() }
    }
    return 0
}

func openSocket(
    _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype,
    _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> Int32 {
    guard let context = unsafe context else { return -1 }
    let socket = unsafe archway_open(address)
    let client = unsafe Unmanaged<Client>.fromOpaque(context).takeUnretainedValue()
    if socket >= 0 { assumeOnLoop { client.sockets.opened(socket) } }
    return socket
}

func closeSocket(_ context: UnsafeMutableRawPointer?, _ socket: Int32) -> Int32 {
    guard let context = unsafe context else { return -1 }
    let client = unsafe Unmanaged<Client>.fromOpaque(context).takeUnretainedValue()
    assumeOnLoop {
        client.sockets.closed(socket)
        Loop.close(socket)
    }
    return 0
}

func receiveTimeout(
    _ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context = unsafe context else { return -1 }
    let client = unsafe Unmanaged<Client>.fromOpaque(context).takeUnretainedValue()
    assumeOnLoop { client.timeoutChanged(milliseconds) }
    return 0
}
