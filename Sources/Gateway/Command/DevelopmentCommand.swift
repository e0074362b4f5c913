/// `archway dev`
enum DevelopmentCommand {
    static func run(_ arguments: Arguments) throws -> Int32 {
        var options = DevelopmentOptions()
        if let state = arguments["state"], !state.isEmpty { options.state = state }
        options.configuration = arguments["config"]
        if let text = arguments["port"] {
            guard let port = UInt16(text), port > 0 else {
                throw Arguments.Mistake(description: "--port takes a number from 1 to 65535")
            }
            options.port = port
        }
        guard arguments.words.isEmpty else {
            throw Arguments.Mistake(description: "unexpected \(arguments.words[0])")
        }
        return Development.run(options)
    }
}
