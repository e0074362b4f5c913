import EventLoop
import Foundation
import System

/// A process that waits for the end of the tests, however they end, and then ends what they have left: processes by
/// their ids, and a folder.
@LoopActor final class Keeper {
    private static let script = """
        trap '' INT TERM HUP
        all=
        while read -r id; do all="$all $id"; done
        for id in $all; do all="$all $(cat /proc/$id/task/$id/children 2>/dev/null)"; done
        kill -TERM $all 2>/dev/null
        sleep 1
        kill -KILL $all 2>/dev/null
        rm -rf "$0"
        """

    private let channel: Int32
    private let process: Subprocess

    init(_ folder: String) throws {
        let (ours, theirs) = try UnixSocket.pair()
        defer { close(theirs) }
        channel = ours
        // The shell expects to wait in its reads.
        _ = fcntl(theirs, F_SETFL, 0)
        var launch = Subprocess.Launch("/bin/sh", ["-c", Self.script, folder])
        launch.descriptors = [0: theirs]
        launch.folder = "/"
        process = try Subprocess(launch)
    }

    /// To be ended, with its children.
    func watch(_ id: Int32) {
        let line = Array("\(id)\n".utf8)
        _ = line.withUnsafeBytes { Glibc.write(channel, $0.baseAddress, $0.count) }
    }
}
