internal import EventLoop
internal import System

/// A file of records, and the process that writes it: a disk may be slow, and the loop never waits for one. What was
/// handed over reaches the disk although this worker dies.
@LoopActor
final class SpoolFile: Watcher {
    /// Milliseconds that a record waits for the disk.
    private static let patience = 5000

    /// A record that was handed over.
    @LoopActor
    private final class Receipt {
        let gate = Gate()
        let length: Int
        var isKept: Bool?

        init(_ length: Int) { self.length = length }
    }

    let path: String
    private let writer: Subprocess
    private let descriptor: Int32
    private var outgoing: [UInt8] = []
    private var receipts: [Receipt] = []
    /// Bytes that are on the disk.
    private(set) var durable = 0
    /// Bytes of it whose records are in the database.
    var replayed = 0
    /// Nothing can be written any more.
    private(set) var hasEnded = false
    private var watchesWrites = false

    /// Bytes on the disk or on the way there.
    var accepted: Int { receipts.reduce(durable) { $0 + $1.length } }

    /// All that was written is in the database, and nothing is on its way.
    var isIdle: Bool { receipts.isEmpty && replayed == durable }

    init(_ path: String, writtenBy program: String) throws(SystemError) {
        let (ours, theirs) = try UnixSocket.pair()
        defer { Descriptor.close(theirs) }
        self.path = path
        descriptor = ours
        do throws(SystemError) {
            var launch = Subprocess.Launch(program, ["spool", "--file", path])
            launch.descriptors = [SpoolWriter.channel: theirs]
            writer = try Subprocess(launch)
        } catch {
            Descriptor.close(ours)
            throw error
        }
        do throws(SystemError) {
            try Loop.watch(ours, for: [.readable, .hangUp], by: self)
        } catch {
            end()
            throw error
        }
    }

    /// Appends a frame. True when it is on the disk; false when it is not there, or not yet.
    func append(_ frame: [UInt8]) async -> Bool {
        guard !hasEnded else { return false }
        let receipt = Receipt(frame.count)
        receipts.append(receipt)
        outgoing += frame
        push()
        let limit = Loop.after(milliseconds: Self.patience) { receipt.gate.open() }
        defer { limit.cancel() }
        try? await receipt.gate.pass()
        return receipt.isKept == true
    }

    /// Lets the writer end.
    func close() {
        end()
    }

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        if readiness.mayWrite { push() }
        guard readiness.mayRead else { return }
        guard let words = Descriptor.read(descriptor) else { return end() }
        for word in words where !receipts.isEmpty {
            let receipt = receipts.removeFirst()
            receipt.isKept = word == SpoolWriter.kept
            if receipt.isKept == true { durable += receipt.length }
            receipt.gate.open()
        }
    }

    private func push() {
        guard !hasEnded else { return }
        let count = Descriptor.send(descriptor, outgoing[...])
        if count > 0 { outgoing.removeFirst(count) }
        guard outgoing.isEmpty == watchesWrites else { return }
        watchesWrites = !outgoing.isEmpty
        try? Loop.rewatch(
            descriptor,
            for: watchesWrites ? [.readable, .writable, .hangUp] : [.readable, .hangUp])
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        Loop.forget(descriptor)
        Descriptor.close(descriptor)
        outgoing = []
        for receipt in receipts {
            receipt.isKept = false
            receipt.gate.open()
        }
        receipts = []
        reap(triesLeft: 100)
    }

    /// A child whose end nobody asks for stays a zombie.
    private func reap(triesLeft: Int) {
        guard writer.ending() == nil, triesLeft > 0 else { return }
        Loop.after(milliseconds: 100) { [self] in reap(triesLeft: triesLeft - 1) }
    }
}
