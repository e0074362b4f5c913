internal import EventLoop
internal import HTTP
internal import HTTPClient
internal import OpenAI
internal import Providers

/// An answer on its way from a provider, event by event.
@LoopActor
final class ProviderStream {
    /// Milliseconds that a provider gets for its figures after the answer is whole.
    private static let epilogue = 2000

    private let transfer: Transfer?
    private var reader: (any StreamReader)?
    private var framer: Framer
    /// What an embedded provider says, all at once.
    private var ready: [ChatEvent]
    private var isFinished = false
    private var hasEnded = false
    private var timer: Timer?

    /// A stream that a provider has begun to send.
    init(_ transfer: Transfer, _ provider: any Provider, _ question: Question) {
        self.transfer = transfer
        reader = provider.reader(of: question)
        framer = Framer(provider.framing)
        ready = []
    }

    /// A stream that is known as a whole.
    init(_ events: [ChatEvent]) {
        transfer = nil
        framer = Framer(.lines)
        ready = events
    }

    /// Hands over events as they arrive, and asks `goesOn` after each piece of them. Returns true when that was false,
    /// or there may be more for another reason, and false when there is nothing more: the answer is whole then, or
    /// this has thrown.
    func flow(
        _ take: @escaping @LoopActor (ChatEvent) -> Void,
        goesOn: @escaping @LoopActor () -> Bool
    ) async throws -> Bool {
        guard let transfer else {
            defer { ready = [] }
            ready.forEach(take)
            return !ready.isEmpty
        }
        if hasEnded { return false }
        do {
            let mayFollow = try await transfer.flow { [self] piece in
                framer.append(piece)
                while let data = try framer.next() { try read(data, take) }
                return goesOn()
            }
            if mayFollow { return true }
        } catch let error as ClientError {
            // After the answer is whole, whatever ends the transfer is its end.
            guard isFinished else { throw error }
        }
        hasEnded = true
        try end(take)
        return true
    }

    /// Closes the connection to the provider, unless the answer was whole.
    func close() {
        timer?.cancel()
        transfer?.close()
    }

    private func read(_ data: [UInt8], _ take: (ChatEvent) -> Void) throws {
        for event in try reader?.read(data) ?? [] {
            if case .finished = event { finish() }
            take(event)
        }
    }

    private func end(_ take: (ChatEvent) -> Void) throws {
        if let data = framer.rest() { try read(data, take) }
        guard !isFinished else { return }
        for event in try reader?.end() ?? [] { take(event) }
    }

    private func finish() {
        isFinished = true
        timer = Loop.after(milliseconds: Self.epilogue) { [transfer] in transfer?.close() }
    }
}

/// Cuts a provider's body into what its reader takes.
private struct Framer {
    private var events = EventStreamParser()
    private var lines = LineParser()
    private let framing: Framing

    init(_ framing: Framing) {
        self.framing = framing
    }

    mutating func append(_ bytes: [UInt8]) {
        switch framing {
        case .serverSentEvents: events.append(bytes)
        case .lines: lines.append(bytes)
        }
    }

    mutating func next() throws -> [UInt8]? {
        do {
            return switch framing {
            case .serverSentEvents: try events.next()?.data
            case .lines: try lines.next()
            }
        } catch {
            throw ProviderFailure(.providerBadResponse, isRetriable: false, detail: "\(error)")
        }
    }

    /// A last line may lack its end; a last event may not.
    mutating func rest() -> [UInt8]? {
        framing == .lines ? lines.end() : nil
    }
}
