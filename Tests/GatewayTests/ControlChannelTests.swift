import EventLoop
import System
import TestSupport
import Testing

@testable import Gateway

@Suite("The control channel")
@LoopActor struct ControlChannelTests {
    private final class Heard {
        var messages: [ControlChannel.Message] = []
        var hasEnded = false
        nonisolated init() {}
    }

    @Test("Messages arrive whole, in order, however they were cut, and what is none is passed over")
    func messages() {
        let sent: [ControlChannel.Message] = [
            .ready, .userChanged("user_1"), .alive, .userChanged(""), .ready, .alive,
        ]
        let wire = [0] + sent.flatMap(\.bytes)
        for length in 1...wire.count {
            var (bytes, taken) = ([UInt8](), [ControlChannel.Message]())
            for start in stride(from: 0, to: wire.count, by: length) {
                bytes += wire[start..<min(start + length, wire.count)]
                while let message = ControlChannel.Message.take(from: &bytes) {
                    taken.append(message)
                }
            }
            #expect(taken == sent && bytes.isEmpty)
        }
    }

    @Test("Each side hears the other, and its end")
    func sides() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        let heard = Heard()
        let worker = try ControlChannel(
            ours, received: { heard.messages.append($0) }, ended: { heard.hasEnded = true })
        let master = try ControlChannel(theirs, ended: {})
        master.send(.userChanged("user_1"))
        master.send(.alive)
        #expect(await waitUntil { heard.messages.count == 2 })
        #expect(heard.messages == [.userChanged("user_1"), .alive])
        master.close()
        #expect(await waitUntil { heard.hasEnded })
        worker.close()
    }
}
