import EventLoop
import Foundation
import ScriptedProvider
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A provider that dies") @LoopActor struct DyingProviders {
        /// A client's verdict: whether it takes what it got for a whole answer, and what is wrong with that.
        private static func verdict(
            _ form: ShortReply, _ how: String, _ offset: Int, _ site: Deployment, _ user: User
        ) async throws -> (isSuccess: Bool, fault: String?) {
            let isStream = form == .openAIStream || form == .ollamaStream
            let isNative = form == .ollamaStream || form == .ollamaReply
            let chat = Chat(
                isNative ? "native-bytes" : "bytes", "\(how) \(offset) \(form.rawValue)"
            )
            .with {
                $0.isStream = isStream
                $0.members["tools"] = [
                    ["type": "function", "function": ["name": "weather"]] as [String: Any]
                ]
            }
            let reply = try await site.answer(chat, user)
            let isSuccess = reply.status == 200 && (reply.isDone || !isStream)
            if isSuccess {
                let isWhole = reply.content == ShortReply.text && reply.text.contains("tool_calls")
                return (true, isWhole ? nil : "a half answer passes for a whole one: \(reply.text)")
            }
            if reply.status != 200 {
                let isTold = [502, 504].contains(reply.status) && reply.error["code"].exists
                return (false, isTold ? nil : "\(reply.status) \(reply.text)")
            }
            let isTold =
                reply.events.last?.json["error"]["code"].exists == true
                && !reply.text.contains("[DONE]") && !reply.text.contains(#"finish_reason":""#)
                && ShortReply.text.hasPrefix(reply.content)
            return (false, isTold ? nil : "no error in band: \(reply.text)")
        }

        @Test(
            "B17: at every byte offset of an answer never leaves a half one that looks whole",
            arguments: ShortReply.allCases)
        func everyOffset(form: ShortReply) async throws {
            let (site, user) = try await Hostile.deployment()
            var cuts = (0...form.bytes.count).map { ("close", $0) }
            cuts += stride(from: 0, to: form.bytes.count, by: 7).map { ("reset", $0) }
            let queue = cuts
            let began = Loop.now
            // So many clients at once, each with every so-manieth cut.
            let clients = 150
            let successes = try await concurrently(clients) { number in
                var successes = 0
                for (how, offset) in stride(from: number, to: queue.count, by: clients).map({
                    queue[$0]
                }) {
                    let (isSuccess, fault) = try await Self.verdict(form, how, offset, site, user)
                    if isSuccess { successes += 1 }
                    let isWhole = offset >= form.terminal
                    // What a reset overtakes may be lost.
                    let isRight = how == "reset" ? !isSuccess || isWhole : isSuccess == isWhole
                    if let fault { Issue.record("\(form) \(how) at \(offset): \(fault)") }
                    if !isRight { Issue.record("\(form) \(how) at \(offset): \(isSuccess)") }
                }
                return successes
            }.reduce(0, +)
            figure(
                "\(form): \(cuts.count) cuts, \(successes) whole, in \(Loop.now - began) ms")
            #expect(successes >= form.bytes.count - form.terminal)
            #expect(try await site.answer(Chat("echo"), user).status == 200)
        }
    }
}
