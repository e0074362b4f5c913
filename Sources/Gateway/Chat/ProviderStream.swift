internal import EventLoop
internal import HTTP
internal import HTTPClient
internal import OpenAI
internal import Providers

/// An answer on its way from a provider, event by event.
@LoopActor
final class ProviderStream {
    /// Milliseconds that a provider gets for its figures after the answer is whole, and for the end of the body after
    /// its last word.
    private static let (epilogue, farewell) = (2000, 250)
    /// Bytes of an answer, and of all that is none: comments, blank lines, events that say nothing.
    private static let limit = Inquiry.answerLimit

    private let transfer: Transfer?
    private var reader: (any StreamReader)?
    private var framer: Framer
    /// What an embedded provider says, all at once.
    private var ready: [ChatEvent]
    private var isFinished = false
    private var hasEnded = false
    private var said = 0
    /// What came since something was said.
    private var unsaid = 0

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
                try read(piece: piece, take)
                return goesOn()
            }
            if mayFollow { return true }
        } catch let error where isFinished && !(error is CancellationError) {
            // After the answer is whole, whatever ends the transfer is its end.
        }
        hasEnded = true
        try end(take)
        return true
    }

    /// Closes the connection to the provider, unless the answer was whole.
    func close() {
        transfer?.close()
    }

    private func read(piece: [UInt8], _ take: (ChatEvent) -> Void) throws {
        unsaid += piece.count
        framer.append(piece)
        while let data = try framer.next() { try read(data, take) }
        guard max(said, unsaid) <= Self.limit else {
            throw ProviderFailure(
                .providerBadResponse, isRetriable: false,
                detail: "a stream of more than \(Self.limit) bytes")
        }
    }

    private func read(_ data: [UInt8], _ take: (ChatEvent) -> Void) throws {
        let before = said
        for event in try reader?.read(data) ?? [] {
            switch event {
            case .text(let text): said = max(said, before + text.count)
            case .choices: said = before + data.count
            case .finished:
                isFinished = true
                transfer?.expectEnd(within: Self.epilogue)
            case .done: transfer?.expectEnd(within: Self.farewell)
            case .origin, .usage: break
            }
            take(event)
        }
        if said > before { unsaid = 0 }
    }

    private func end(_ take: (ChatEvent) -> Void) throws {
        if let data = framer.rest() { try read(data, take) }
        guard !isFinished else { return }
        for event in try reader?.end() ?? [] { take(event) }
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
