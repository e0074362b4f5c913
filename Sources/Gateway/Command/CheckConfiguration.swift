/// `archway check-config`
enum CheckConfiguration {
    static func run(_ arguments: Arguments) throws -> Int32 {
        CommandLineReport.say(try Setup.configuration(arguments).masked)
        return 0
    }
}
