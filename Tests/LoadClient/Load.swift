import EventLoop
import Foundation
import ScriptedProvider

/// One run: all its requests, and what they showed.
@LoopActor final class Load {
    let options: Options
    let streamRequest: [UInt8]
    let unaryRequest: [UInt8]
    /// The pieces of text that each stream must have.
    let pieces: Int
    var figures = Figures()
    private var open = 0
    private var left: Int
    private var runs: [any LoadDelegate] = []
    private let finished = Gate()

    init(_ options: Options) {
        self.options = options
        streamRequest = options.request(isStream: true)
        unaryRequest = options.request(isStream: false)
        pieces = options.numbers.first ?? 0
        left = options.unary
    }

    /// Runs everything and returns the figures as JSON.
    func run() async -> String {
        let began = microseconds()
        let total = options.unary + options.streams
        for _ in 0..<min(options.concurrency, options.unary) { runs.append(UnaryRun(self)) }
        for index in 0..<options.streams {
            let delay = Int(options.ramp * 1000 * Double(index) / Double(options.streams))
            Loop.after(milliseconds: delay) {
                self.figures.requests += 1
                self.runs.append(StreamRun(self))
            }
        }
        let limit = Loop.after(milliseconds: Int(options.timeout * 1000)) { self.finished.open() }
        while figures.totals.count < total, microseconds() - began < Int64(options.timeout * 1e6) {
            try? await finished.pass()
        }
        limit.cancel()
        let missing = total - figures.totals.count
        if missing > 0 { figures.errors["timeout", default: 0] += missing }
        return figures.json(seconds: Double(microseconds() - began) / 1e6)
    }

    /// Whether another unary request is to be made.
    func takeUnary() -> Bool {
        guard left > 0 else { return false }
        left -= 1
        figures.requests += 1
        return true
    }

    func ended(_ failure: String?, started: Int64) {
        figures.totals.append(microseconds() - started)
        if let failure { figures.fail(failure) } else { figures.good += 1 }
        if figures.totals.count == options.unary + options.streams { finished.open() }
    }
}

@main enum LoadClient {
    static func main() {
        guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
            FileHandle.standardError.write(Data((Options.usage + "\n").utf8))
            exit(2)
        }
        _ = Loop.run { () -> Int in
            print(await Load(options).run())
            exit(0)
        }
    }
}
