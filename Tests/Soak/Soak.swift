import EventLoop
import Foundation
import TestSupport
import Trials

/// `soak --seeds N | --kills N | --minutes M [--first-seed N]`: proofs that take longer than tests may. Prints a line a
/// verdict; the exit code is 1 if a promise was broken.
@main enum Soak {
    static func main() {
        guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
            FileHandle.standardError.write(Data((Options.usage + "\n").utf8))
            exit(2)
        }
        exit(Loop.run { await run(options) } ?? 1)
    }

    @LoopActor private static func run(_ options: Options) async -> Int32 {
        let tell: @LoopActor (String) -> Void = {
            FileHandle.standardOutput.write(Data(($0 + "\n").utf8))
        }
        var isKept = true
        do {
            let first = options.firstSeed
            if let count = options.seeds {
                isKept = try await SeedRuns.run(first..<first + count, tell: tell) && isKept
            }
            if let count = options.kills {
                isKept = try await KillRuns.run(count, firstSeed: first, tell: tell) && isKept
            }
            if let minutes = options.minutes {
                isKept = try await SoakRun.run(.minutes(minutes), seed: first, tell: tell) && isKept
            }
        } catch {
            tell("soak: could not go on: \(error)")
            isKept = false
        }
        await Deployment.stopAll()
        return isKept ? 0 : 1
    }
}

/// What the command line asks for.
struct Options: Sendable {
    var seeds: Int?
    var kills: Int?
    var minutes: Double?
    var firstSeed = 1

    static let usage = "soak --seeds N | --kills N | --minutes M [--first-seed N]"

    init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst(), set(name, value) else { return nil }
        }
        guard seeds != nil || kills != nil || minutes != nil else { return nil }
    }

    private mutating func set(_ name: String, _ value: String) -> Bool {
        switch (name, Int(value), Double(value)) {
        case ("--seeds", let count?, _) where count > 0: seeds = count
        case ("--kills", let count?, _) where count > 0: kills = count
        case ("--minutes", _, let length?) where length > 0: minutes = length
        case ("--first-seed", let seed?, _) where seed >= 0: firstSeed = seed
        default: return false
        }
        return true
    }
}
