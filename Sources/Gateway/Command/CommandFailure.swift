/// What a command could not do although it was understood. Exit code 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
}
