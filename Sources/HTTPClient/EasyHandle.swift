internal import CCurl
internal import HTTP

/// One curl easy handle. Used for call after call: every option that differs between calls is set
/// for each, so nothing of an earlier one is left.
@safe final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private var fields: UnsafeMutablePointer<curl_slist>?
    /// What curl sends without a copy; lives here until the next call.
    private var body: [UInt8] = []
    /// The system's, as curl was built with it.
    private let systemAuthorities: String?

    init?() {
        guard let pointer = unsafe curl_easy_init() else { return nil }
        unsafe self.pointer = pointer
        let path = unsafe archway_easy_get_string(pointer, CURLINFO_CAINFO)
        systemAuthorities = unsafe path.map { unsafe String(cString: $0) }
        setConstants()
    }

    deinit {
        unsafe curl_easy_cleanup(pointer)
        unsafe curl_slist_free_all(fields)
    }

    private func setConstants() {
        for (option, value) in [
            (CURLOPT_NOSIGNAL, 1),  // no SIGALRM in a threaded process
            (CURLOPT_QUICK_EXIT, 1),  // closing during a name look-up must not wait for it
            (CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1),
            (CURLOPT_BUFFERSIZE, 8 << 10),
            (CURLOPT_TCP_NODELAY, 1),
            (CURLOPT_TCP_KEEPALIVE, 1),
            (CURLOPT_FOLLOWLOCATION, 0),
        ] {
            unsafe archway_easy_set_long(pointer, option, value)
        }
        unsafe archway_easy_set_string(pointer, CURLOPT_PROTOCOLS_STR, "http,https")
        unsafe archway_easy_set_string(pointer, CURLOPT_PROXY, "")  // not from the environment
    }

    /// Sets everything that this call has of its own.
    func prepare(_ call: Call) {
        unsafe archway_easy_set_string(pointer, CURLOPT_URL, call.url)
        let authorities = call.authorities ?? systemAuthorities
        unsafe archway_easy_set_string(pointer, CURLOPT_CAINFO, authorities)
        allowConnecting(milliseconds: milliseconds(call.deadlines.connect))
        setFields(call)
        setMethod(call)
    }

    private func setMethod(_ call: Call) {
        body = call.body
        switch call.method {
        case .head:
            unsafe archway_easy_set_long(pointer, CURLOPT_NOBODY, 1)
            setVerb(nil)
        case .post:
            setBody()
            setVerb(nil)
        default:
            if body.isEmpty {
                unsafe archway_easy_set_long(pointer, CURLOPT_HTTPGET, 1)
            } else {
                setBody()
            }
            setVerb(call.method == .get && body.isEmpty ? nil : call.method.name)
        }
    }

    private func setVerb(_ name: String?) {
        unsafe archway_easy_set_string(pointer, CURLOPT_CUSTOMREQUEST, name)
    }

    /// The elements of an array stay where they are while nobody changes it, and this one is only
    /// replaced when curl is done with it.
    private func setBody() {
        unsafe archway_easy_set_long(pointer, CURLOPT_POST, 1)
        unsafe archway_easy_set_size(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        unsafe body.withUnsafeBufferPointer {
            _ = unsafe archway_easy_set_pointer(pointer, CURLOPT_POSTFIELDS, $0.baseAddress)
        }
    }

    /// curl's own default fields are switched off by a name with nothing after the colon.
    private func setFields(_ call: Call) {
        unsafe curl_slist_free_all(fields)
        unsafe fields = unsafe curl_slist_append(nil, "Expect:")
        for (name, value) in call.fields {
            append(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        if call.fields["Content-Type"] == nil { append("Content-Type:") }
        unsafe archway_easy_set_fields(pointer, fields)
    }

    private func append(_ line: String) {
        if let longer = unsafe curl_slist_append(fields, line) { unsafe fields = longer }
    }

    /// The deadlines are the transfer's to keep. curl's own, which is for TCP and TLS together, comes a second later;
    /// it needs one to see how long it may try each of several addresses.
    func allowConnecting(milliseconds: Int64) {
        let limit = Int(milliseconds) + 1000
        unsafe archway_easy_set_long(pointer, CURLOPT_CONNECTTIMEOUT_MS, limit)
    }

    /// Lets the body go as soon as it has been sent.
    func forget() {
        body = []
    }
}
