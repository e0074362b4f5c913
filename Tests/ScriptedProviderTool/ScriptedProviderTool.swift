import EventLoop
import Foundation
import ScriptedProvider

/// `scripted-provider [--port N]`: prints its port and serves until it is killed.
@main enum ScriptedProviderTool {
    static func main() {
        let arguments = CommandLine.arguments
        var port: UInt16 = 0
        if let place = arguments.firstIndex(of: "--port"), place + 1 < arguments.count {
            port = UInt16(arguments[place + 1]) ?? 0
        }
        let outcome: Int32? = Loop.run { [port] in await serve(on: port) }
        exit(outcome ?? 1)
    }

    @LoopActor private static func serve(on port: UInt16) async -> Int32 {
        do {
            let server = try ProviderServer(port: port)
            FileHandle.standardOutput.write(Data("\(server.port)\n".utf8))
            while true { try await Loop.sleep(milliseconds: 3_600_000) }
        } catch {
            FileHandle.standardError.write(Data("scripted-provider: \(error)\n".utf8))
            return 1
        }
    }
}
