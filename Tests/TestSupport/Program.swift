import EventLoop
import Foundation
import System

/// A program that runs to its end while the loop goes on.
@LoopActor package enum Program {
    /// How it ended and what it said.
    package struct Outcome: Sendable {
        /// Its exit code; 128 and the signal's number if a signal killed it.
        package var code: Int32
        package var output: String
        package var errors: String

        /// The output without the line end at its end.
        package var line: String { output.trimmingCharacters(in: .newlines) }
    }

    /// Why a program could not be run.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Runs `words`, the program first, in an empty standard input unless `input` is given. Kills it after `seconds`.
    package static func run(
        _ words: [String], input: String = "", in folder: String? = nil, seconds: Double = 60
    ) async throws -> Outcome {
        let (stdin, stdout, stderr) = try (scratch(), scratch(), scratch())
        defer { for file in [stdin, stdout, stderr] { close(file) } }
        _ = Array(input.utf8).withUnsafeBytes { pwrite(stdin, $0.baseAddress, $0.count, 0) }
        var launch = Subprocess.Launch(words[0], Array(words.dropFirst()))
        launch.descriptors = [0: stdin, 1: stdout, 2: stderr]
        launch.folder = folder
        let child = try Subprocess(launch)
        let code = try await end(of: child, seconds: seconds)
        return Outcome(code: code, output: text(of: stdout), errors: text(of: stderr))
    }

    /// The same for a program that must succeed; its output without the line end at its end.
    @discardableResult
    package static func output(
        _ words: [String], input: String = "", in folder: String? = nil, seconds: Double = 60
    ) async throws -> String {
        let outcome = try await run(words, input: input, in: folder, seconds: seconds)
        guard outcome.code == 0 else {
            let line = words.joined(separator: " ").prefix(300)
            throw Failure(
                description: "\(line): exit code \(outcome.code): \(outcome.errors.suffix(4000))")
        }
        return outcome.line
    }

    /// The exit code of a child, which is killed after `seconds`.
    package static func end(of child: Subprocess, seconds: Double) async throws -> Int32 {
        let deadline = Loop.now + Int64(seconds * 1000)
        while true {
            switch child.ending() {
            case .exited(let code): return code
            case .killed(let signal): return 128 + signal
            case nil: break
            }
            if Loop.now > deadline { child.send(SIGKILL, toGroup: true) }
            do { try await Loop.sleep(milliseconds: 3) } catch {
                child.send(SIGKILL, toGroup: true)
                throw error
            }
        }
    }

    /// A file without a name.
    private static func scratch() throws -> Int32 {
        let path = "/tmp/archway-program-\(UUID().uuidString)"
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError.last("open \(path)") }
        unlink(path)
        return file
    }

    private static func text(of file: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
