package import EventLoop

/// Who keeps account of the requests that a listener has under way, so that after a crash somebody can tell which it
/// may have been.
@LoopActor
package protocol RequestRegister: AnyObject {
    /// A request begins: its parameters are known, its body not yet read. `id` is the web server's, or empty. Returns a
    /// place for the other two; nil without one.
    func began(_ id: String) -> Int?
    /// The request at this place is called so.
    func name(_ place: Int, _ id: String)
    /// Code of the request at this place is about to run.
    func works(_ place: Int)
    /// The request at this place has ended.
    func ended(_ place: Int)
}
