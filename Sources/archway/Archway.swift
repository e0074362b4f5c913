internal import Gateway
internal import System

/// The program `archway`.
@main
enum Archway {
    static func main() {
        Host.occupyStandardDescriptors()
        Host.exit(Program.run(Array(Host.arguments.dropFirst())))
    }
}
