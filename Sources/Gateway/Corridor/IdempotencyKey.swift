internal import Crypto
internal import HTTP
internal import OpenAI
internal import Store

/// The name that a caller gives to a request, so that it has its effect once however often it is sent.
struct IdempotencyKey: Sendable, Hashable {
    static let field = "Idempotency-Key"
    /// Characters.
    static let longest = 255

    let text: String
    let owner: String
    /// Empty where no token signed in.
    let tokenID: String

    /// Nil for a request that has none, or whose method may be repeated anyway. Throws for one that cannot be kept to.
    init?(_ request: HTTP.Request, _ identity: Identity) throws(APIError) {
        guard request.method == .post, let text = request.fields[Self.field] else { return nil }
        guard (1...Self.longest).contains(text.utf8.count), text.utf8.allSatisfy(Self.isVisible)
        else {
            throw .invalidValue(
                Self.field, "it must be 1 to \(Self.longest) visible ASCII characters")
        }
        guard request.fields.values(Self.field).allSatisfy({ $0 == text }) else {
            throw .invalidValue(Self.field, "it is there twice")
        }
        // Among people who cannot be told apart, one would get another's reply.
        guard let owner = identity.user?.id else {
            throw .invalidValue(Self.field, "it needs a caller who is signed in; leave it out")
        }
        self.text = text
        self.owner = owner
        tokenID = identity.tokenID ?? ""
    }

    private static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) }

    /// What the request asks: SHA-256 of method, path, query and body.
    static func fingerprint(of request: HTTP.Request) -> [UInt8] {
        let hasher = SHA256.Hasher()
        var texts = [request.method.name, request.path, String(request.query.count)]
        for (name, value) in request.query { texts += [name, value] }
        // With their lengths, so that no text can pass for two.
        for text in texts { hasher.update(Array("\(text.utf8.count):\(text)".utf8)) }
        hasher.update(request.body)
        return hasher.finish()
    }
}
