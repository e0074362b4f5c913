internal import EventLoop

/// Where the records of one request are collected for libfcgi.
@LoopActor
protocol RecordStore: AnyObject {
    /// What libfcgi reads from.
    var descriptor: Int32 { get }
    /// Appends the first `count` bytes of `bytes`.
    func append(_ bytes: [UInt8], count: Int) throws(SystemError)
    /// Lets libfcgi read from the start.
    func rewind()
    /// Drops the content, so that nothing of one request can be read by another.
    func clear()
    /// libfcgi has closed the descriptor.
    func forfeit()
}
