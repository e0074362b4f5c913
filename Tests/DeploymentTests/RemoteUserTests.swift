import FastCGI
import HTTP
import Testing

@Suite("Who the web server says has signed in")
struct RemoteUserTests {
    private let basic = ("HTTP_AUTHORIZATION", "Basic YWxpY2U6eA==")
    private let alice = ("REMOTE_USER", "alice")
    /// Only nginx's stock file `fastcgi_params` sends it.
    private let stock = ("REDIRECT_STATUS", "200")

    private func user(_ parameters: (String, String)...) -> String? {
        RequestParameters(parameters.map { (name: $0.0, value: $0.1) }).request(body: []).remoteUser
    }

    @Test("A name that the location sets counts")
    func set() {
        #expect(user(alice) == "alice")
        #expect(user(alice, basic) == "alice")
        #expect(user(stock, alice) == "alice")
        #expect(user(stock, alice, ("HTTP_AUTHORIZATION", "Bearer x")) == "alice")
    }

    @Test("A name that the stock file took from an unchecked Basic header does not")
    func unchecked() {
        #expect(user(stock, alice, basic) == nil)
        #expect(user(basic, stock, alice) == nil)
        #expect(user(stock, alice, ("HTTP_AUTHORIZATION", "bAsIc x")) == nil)
        #expect(user(stock, alice, basic, ("AUTH_TYPE", "")) == nil)
        #expect(user(("HTTP_REMOTE_USER", "alice"), ("HTTP_AUTH_TYPE", "x")) == nil)
    }

    @Test("It does where the location vouches for it")
    func vouched() {
        #expect(user(stock, alice, basic, ("AUTH_TYPE", "Basic")) == "alice")
        #expect(user(stock, alice, basic, alice) == "alice")
    }
}
