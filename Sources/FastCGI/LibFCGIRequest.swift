internal import CFastCGI
internal import EventLoop
internal import Glibc

/// A request of libfcgi, from the parsed parameters to its end. Encloses the `FCGX_Request`, whose pointers are valid
/// until it is freed and never leave this type.
@LoopActor
@safe
final class LibFCGIRequest {
    /// libfcgi's buffer less the record header: what one `write(2)` carries.
    static let recordLength = 8184

    /// `FCGX_Init` once for the process. It takes over SIGPIPE, SIGTERM and SIGUSR1; who wants these sets them up
    /// later.
    static let isReady = FCGX_Init() == 0

    private let request: UnsafeMutablePointer<FCGX_Request>
    private var parameters: [(name: String, value: String)]

    /// `CONTENT_LENGTH`; 0 when it is missing, −1 when it is no number.
    let declaredLength: Int

    /// Lets libfcgi parse what `intake` collected, up to the body. Nil when libfcgi refuses the records.
    init?(_ intake: Intake) {
        guard Self.isReady, let file = intake.recorded() else { return nil }
        unsafe request = .allocate(capacity: 1)
        unsafe request.initialize(to: FCGX_Request())
        guard unsafe archway_fcgi_begin(request, file.descriptor) == 0 else {
            file.forfeit()
            intake.release()
            unsafe request.deallocate()
            return nil
        }
        // A truncated environment is success to FCGX_Accept_r; only the stream's error tells.
        let isIntact = unsafe FCGX_GetError(request.pointee.in) == 0
        parameters = unsafe Self.parameters(request.pointee.envp)
        // Put there by libfcgi, before what the web server says.
        let isResponder = parameters.first.map { $0 == ("FCGI_ROLE", "RESPONDER") } ?? false
        let declared = parameters.first { $0.name == "CONTENT_LENGTH" }?.value ?? ""
        declaredLength = declared.isEmpty ? 0 : Int(declared) ?? -1
        // Authorizers and filters are taken as well: what answers a request would then grant one.
        if !isIntact || !isResponder { return nil }
    }

    isolated deinit {
        unsafe archway_fcgi_free(request)
        unsafe request.deallocate()
    }

    /// Reads the body, once, and connects the streams to the web server.
    func takeBody(of intake: Intake, connecting connection: Int32) -> [UInt8] {
        defer {
            intake.release()
            unsafe archway_fcgi_connect(request, connection)
        }
        return unsafe Self.read(request.pointee.in, count: intake.bodyLength)
    }

    /// The FastCGI parameters, once.
    func takeParameters() -> [(name: String, value: String)] {
        defer { parameters = [] }
        return parameters
    }

    /// Puts bytes into the stream's buffer, to go out with the next `send` or `flush` (`FCGX_PutStr`).
    func put(_ bytes: [UInt8]) {
        put(bytes, bytes.indices)
    }

    /// Sends a part of `bytes`, at most one record, and all that was put before. False when the connection is lost.
    func send(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        put(bytes, range.clamped(to: bytes.indices))
        return flush()
    }

    private func put(_ bytes: [UInt8], _ range: Range<Int>) {
        _ = unsafe archway_fcgi_put(
            request.pointee.out, bytes, Int32(clamping: range.lowerBound),
            Int32(clamping: range.count))
    }

    /// Sends all that was put before (`FCGX_FFlush`). False when the connection is lost.
    func flush() -> Bool {
        let out = unsafe request.pointee.out
        unsafe FCGX_FFlush(out)
        // FCGX_FFlush tells an error only once; the stream remembers it.
        return unsafe FCGX_GetError(out) == 0
    }

    /// Ends the streams and sends `FCGI_END_REQUEST`. False when the connection is lost.
    func end() -> Bool {
        unsafe archway_fcgi_end(request) == 0
    }

    private static func read(
        _ stream: UnsafeMutablePointer<FCGX_Stream>?, count: Int
    ) -> [UInt8] {
        guard count > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe buffer.withMemoryRebound(to: CChar.self) { text in
                filled = Int(unsafe FCGX_GetStr(text.baseAddress, Int32(clamping: count), stream))
            }
        }
    }

    private static func parameters(
        _ environment: FCGX_ParamArray?
    ) -> [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        var next = unsafe environment
        while let entry = unsafe next?.pointee {
            if let sign = unsafe strchr(entry, Int32(UInt8(ascii: "="))) {
                let name = unsafe UnsafeBufferPointer(start: entry, count: sign - entry)
                result.append(
                    (unsafe Self.text(name), unsafe String(cString: sign.successor())))
            }
            unsafe next = unsafe next?.successor()
        }
        return result
    }

    private static func text(_ characters: UnsafeBufferPointer<CChar>) -> String {
        unsafe characters.withMemoryRebound(to: UInt8.self) { bytes in
            unsafe String(decoding: bytes, as: UTF8.self)
        }
    }
}
