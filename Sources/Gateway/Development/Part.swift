import EventLoop
import System

/// One of the programs that `archway dev` runs.
@LoopActor
final class Part {
    let name: String
    let log: String
    private let process: Subprocess
    /// Held for the process: a descriptor that it was given.
    private let folder: SystemFile.Handle?
    private var ending: Subprocess.Ending?

    /// Starts it, with standard output and error in the log.
    init(
        _ name: String, _ launch: Subprocess.Launch, log: (path: String, file: SystemFile.Handle),
        output: SystemFile.Handle? = nil, folder: SystemFile.Handle? = nil
    ) throws {
        self.name = name
        self.log = log.path
        self.folder = folder
        let nothing = try SystemFile.nothing()
        var launch = launch
        launch.descriptors[0] = nothing.descriptor
        launch.descriptors[1] = (output ?? log.file).descriptor
        launch.descriptors[2] = log.file.descriptor
        process = try Subprocess(launch)
    }

    var id: Int32 { process.id }

    /// How it ended; nil while it runs.
    func hasEnded() -> Subprocess.Ending? {
        if ending == nil { ending = process.ending() }
        return ending
    }

    /// Asks it to end by a signal, and ends it with its process group when it has not after `seconds`.
    func stop(_ signal: Int32, seconds: Int) async {
        process.send(signal)
        let deadline = Loop.now + Int64(seconds * 1000)
        while hasEnded() == nil {
            if Loop.now >= deadline { process.send(Signal.kill, toGroup: true) }
            try? await Loop.sleep(milliseconds: 10)
        }
    }
}
