import EventLoop
import HTTP
import HTTPClient
import JSON
import OpenAI
import Providers
import Testing

@testable import Gateway

@Suite("An answer as it comes")
struct ChatAnswerTests {
    private static func text(_ text: String) -> ChatEvent { .text(Array(text.utf8)[...]) }

    private static func content(
        _ index: Int, _ text: String?, _ reason: FinishReason? = nil
    ) -> ChatEvent {
        let members = text.map { [Member("content", .string($0))] } ?? []
        return .choices([ChoiceDelta(index: index, delta: members, finishReason: reason)])
    }

    /// Contents that the caller heard, by choice.
    private static func hear(
        _ events: [ChatEvent], filtering numbers: Set<Int>?
    ) throws -> (heard: [Int: String], answer: ChatAnswer) {
        var answer = ChatAnswer(filtering: numbers)
        var template = ChunkTemplate(id: "chatcmpl-1", created: 1, model: "m")
        var output: [UInt8] = []
        for event in events { answer.take(event, &template, into: &output) }
        answer.end(template, into: &output)
        var heard: [Int: String] = [:]
        var parser = EventStreamParser()
        parser.append(output)
        while let event = try parser.next() {
            for choice in try #require(try Document(event.data).root["choices"]).elements {
                let text = choice["delta"]?["content"]?.string ?? ""
                heard[choice["index"]?.integer ?? -1, default: ""] += text
                #expect(choice["finish_reason"]?.isNull == true, "an ending was not held back")
            }
        }
        return (heard, answer)
    }

    @Test("is passed on and kept as it was said")
    func passedOn() throws {
        let events = [
            Self.text("Hello [7"), Self.text(#"] \"you\" é"#), Self.content(0, nil, .stop),
            .finished,
        ]
        let (heard, answer) = try Self.hear(events, filtering: nil)
        #expect(heard == [0: "Hello [7] \"you\" é"])
        #expect(answer.choices.map(\.text) == ["Hello [7] \"you\" é"])
        #expect(answer.endings.map(\.finishReason) == [.stop])
        #expect(answer.isFinished && answer.hasBegun)
        #expect(answer.cited.isEmpty)
        #expect(answer.characterCount == 17)
    }

    @Test("has said nothing before its first word")
    func nothing() throws {
        let (heard, answer) = try Self.hear([.done], filtering: nil)
        #expect(heard.isEmpty)
        #expect(!answer.hasBegun && !answer.isFinished)
        #expect(answer.choices.isEmpty && answer.characterCount == 0)
    }

    @Test("loses references to nothing in every choice, however its text comes")
    func filtered() throws {
        let events = [
            Self.text("a [1] [9"), Self.text("] [2"), Self.content(1, "b [9] [2] [3"),
            Self.content(0, "] c [8]"), Self.content(1, "] d [1"), Self.content(1, nil, .stop),
            Self.content(0, nil, .length), .finished,
        ]
        let (heard, answer) = try Self.hear(events, filtering: [1, 2])
        #expect(heard == [0: "a [1]  [2] c ", 1: "b  [2]  d [1"])
        #expect(answer.choices.map(\.text) == ["a [1]  [2] c ", "b  [2]  d [1"])
        #expect(answer.cited == [1, 2])
        #expect(answer.endings.map(\.index) == [1, 0])
    }

    @Test("is filtered as a whole where it is not streamed")
    func whole() throws {
        var choices = ["x [1] [9]", "y [2"].flatMap { ChatDraft.saying($0).completed() }
        choices[1].index = 1
        var answer = ChatAnswer(filtering: [1, 2])
        answer.take(ProviderCompletion(choices: choices, usage: nil))
        #expect(answer.choices.map(\.text) == ["x [1] ", "y [2"])
        #expect(answer.cited == [1])
        answer.append("!")
        #expect(answer.choices.first?.text == "x [1] !")
    }
}

extension ChatDraft {
    fileprivate static func saying(_ text: String) -> ChatDraft {
        var draft = ChatDraft()
        draft.append(Array(text.utf8)[...])
        return draft
    }
}

@Suite("The table of models")
@LoopActor
struct ModelTableTests {
    private static let log = Log(process: "test")

    private static func provider(_ name: String) -> ServedProvider {
        // Nobody listens there: what is found is what the test says.
        ServedProvider(
            name: name, endpoint: .extractive, baseURL: "http://127.0.0.1:9",
            deadlines: Deadlines())
    }

    private static func model(_ id: String) -> ServedModel {
        ServedModel(id: id, name: id, ownedBy: "archway", candidates: [])
    }

    private static func identity(
        _ models: Selection = .all, role: String = "user"
    ) -> Identity {
        Identity(roleName: role, role: Configuration.Role(actions: [.models], models: models))
    }

    private static func owners(_ table: ModelTable) -> [String] {
        table.list(for: identity()).map { "\($0.id) \($0.ownedBy)" }
    }

    @Test("lists the configured ones first, each id once, and what was hidden when it is free")
    func precedence() throws {
        let (one, two) = (Self.provider("one"), Self.provider("two"))
        let table = ModelTable(
            [Self.model("a"), Self.model("b")], discovering: [one, two], client: Client(),
            log: Self.log)
        #expect(table.knows("a") == true && table.knows("d") == nil)
        table.update(two, ["c", "b", "d"])
        #expect(table.knows("d") == true && table.knows("e") == nil)
        #expect(Self.owners(table) == ["a archway", "b archway", "c two", "d two"])
        table.update(one, ["d", "c", "c"])
        #expect(table.knows("e") == false)
        #expect(Self.owners(table) == ["a archway", "b archway", "d one", "c one"])
        #expect(try table.find("c", for: Self.identity()).ownedBy == "one")
        table.update(one, [])
        #expect(Self.owners(table) == ["a archway", "b archway", "c two", "d two"])
        #expect(try table.find("c", for: Self.identity()).ownedBy == "two")
        table.update(two, [])
        #expect(throws: APIError.self) { try table.find("c", for: Self.identity()) }
    }

    @Test("shows everybody what he may use, and tells unknown models from those he may not")
    func permissions() throws {
        var admins = Self.model("admins")
        admins.allowedRoles = .only(["admin"])
        let table = ModelTable(
            [Self.model("a"), admins], discovering: [], client: Client(), log: Self.log)
        #expect(table.list(for: Self.identity()).map(\.id) == ["a"])
        #expect(table.list(for: Self.identity(role: "admin")).map(\.id) == ["a", "admins"])
        #expect(table.list(for: Self.identity(.only(["x"]))).isEmpty)
        let limited = Identity(
            roleName: "admin", role: Configuration.Role(actions: [.models]),
            tokenModels: ["admins"])
        #expect(table.list(for: limited).map(\.id) == ["admins"])
        for (id, code) in [("x", "model_not_found"), ("admins", "model_not_allowed")] {
            do throws(APIError) {
                _ = try table.find(id, for: Self.identity())
                Issue.record("\(id) was found")
            } catch { #expect(error.code == code) }
        }
    }
}
