/// A reply is whole, or an error, or broken; and a whole one is what the provider said.
extension History {
    var replyViolations: [Violation] {
        events.flatMap { event -> [Violation] in
            var found: [Violation] = []
            if event.status == 500 || event.code == "internal_error" {
                found.append(Violation(.internalError, event.id, "code \(event.code ?? "-")"))
            }
            guard let chat = event.chat else { return found }
            if let fault = chat.transcript.fault {
                found.append(Violation(fault, event.id, "\(chat.transcript)"))
            }
            if chat.transcript.isWhole, let expected = chat.expected, chat.answer != expected {
                found.append(
                    Violation(
                        .wrongAnswer, event.id, "\(chat.answer) instead of \(expected)"))
            }
            return found
        }
    }

    /// Whoever reads, reads what is his own; and what was acknowledged is kept, and his.
    func ownerViolations(_ stored: Stored) -> [Violation] {
        events.flatMap { event -> [Violation] in
            switch event.deed {
            case .list(let owners):
                return owners.filter { $0 != event.user }
                    .map { Violation(.foreignRead, event.id, "of \($0)") }
            case .read(let completion, let owner)
            where owner != event.user && event.outcome == .ok:
                return [Violation(.foreignRead, event.id, "\(completion) of \(owner)")]
            case .chat(let chat) where chat.isAcknowledged:
                guard let id = chat.completion else { return [] }
                guard let owner = stored.completions[id] else {
                    return [Violation(.completionLost, event.id, id)]
                }
                guard owner != event.user else { return [] }
                return [Violation(.foreignRead, event.id, "\(id) belongs to \(owner)")]
            default: return []
            }
        }
    }
}
