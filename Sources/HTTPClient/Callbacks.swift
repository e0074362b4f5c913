internal import CCurl
internal import EventLoop

// curl calls these on the loop's thread, from inside a call that the client made there.

func receiveStart(
    _ context: UnsafeMutableRawPointer?, _ peer: UnsafeMutablePointer<CChar>?,
    _ own: UnsafeMutablePointer<CChar>?, _ peerPort: Int32, _ ownPort: Int32
) -> Int32 {
    guard let context = unsafe context else { return CURL_PREREQFUNC_ABORT }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return assumeOnLoop { transfer.starts() } ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
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
    assumeOnLoop { client.socketChanged(socket, what) }
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
