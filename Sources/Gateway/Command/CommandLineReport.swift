internal import EventLoop

/// What a command says to the person who typed it.
enum CommandLineReport {
    /// A line on standard output.
    static func say(_ line: String) {
        print(line)
    }

    /// A line on standard error.
    static func fail(_ line: String) {
        StandardError.write(Array("archway: \(line)\n".utf8))
    }
}
