/// `archway version`
enum Version {
    /// The program's version: the only place where it stands.
    static let number = "0.1.0"

    static func run(_ arguments: Arguments) throws -> Int32 {
        CommandLineReport.say("archway \(number)")
        return 0
    }
}
