internal import EventLoop
internal import System

/// How others see that a worker lives: an empty file beside the spool, named after its instance id, on which its
/// process holds a lock. The kernel gives the lock up when the process ends, in whatever way, whether it has a master
/// or not.
@LoopActor
final class LifeFile {
    /// How the names of such files end; they begin with the worker's instance id.
    static let suffix = ".life"

    private let folder: String
    private let path: String
    private var held: SystemFile.Handle?

    init(in folder: String, of instanceID: String) {
        self.folder = folder
        path = "\(folder)/\(instanceID)\(Self.suffix)"
    }

    /// Makes the file, unless it is there and held already. Nobody ever finds it there without its lock.
    func hold() throws(SystemError) {
        if let held, SystemFile.identity(path) == SystemFile.identity(of: held) { return }
        try SystemFile.makeFolder(folder, mode: 0o700)
        held = try SystemFile.createLocked(path, mode: 0o600)
    }
}
