package import JSON

/// `response_format` where it asks for JSON: what the text of an answer must be.
package struct ResponseFormat: Sendable {
    /// What a check finds.
    package enum Finding: Sendable {
        /// Every choice fits, or ended in a way that promises nothing.
        case fits
        /// The text of this choice does not fit; why is a clause without a stop that tells keys of the answer.
        case misfit(text: String, fault: String)
        /// It could not be found out; says why.
        case unchecked(String)
    }

    /// Nil where any object will do.
    private let schema: Schema?

    /// Reads the parameter. Nil where it asks for text, or is absent.
    package init?(_ parameter: Node?) {
        switch parameter?["type"]?.string {
        case "json_object": schema = nil
        case "json_schema": schema = parameter?["json_schema"]?["schema"].map(Schema.init)
        default: return nil
        }
    }

    /// Holds an answer against the format. The first choice that does not fit decides.
    package func check(_ choices: [ChatCompletion.Choice]) -> Finding {
        var result = Finding.fits
        let held = choices.filter(\.promisesJSON)
        // Together they may take as long as one.
        let steps = Schema.stepLimit / max(held.count, 1)
        for choice in held {
            let text = choice.text
            switch verdict(on: text, steps: steps) {
            case .valid: break
            case .invalid(let fault): return .misfit(text: text, fault: fault)
            case .unchecked(let reason): result = .unchecked(reason)
            }
        }
        return result
    }

    private func verdict(on text: String, steps: Int) -> Schema.Verdict {
        let root: Node
        do throws(ParseError) {
            root = try Document(Array(text.utf8)).root
        } catch {
            return switch error.cause {
            case .tooDeep, .tooManyValues, .tooLarge: .unchecked(error.reason)
            default: .invalid("it is not valid JSON (\(error))")
            }
        }
        guard let schema else {
            return root.kind == .object ? .valid : .invalid("$ must be an object")
        }
        return schema.verdict(on: root, steps: steps)
    }

    /// What the model is told about an answer that does not fit.
    package static func complaint(_ fault: String) -> String {
        "Your last answer does not fit the required response format: \(fault). "
            + "Give the whole answer again, as JSON that fits, and nothing else."
    }
}

extension ChatCompletion.Choice {
    /// A text that was cut off or withheld, a refusal and a call of a tool need not be JSON.
    fileprivate var promisesJSON: Bool {
        finishReason == .stop
            && !message.contains { member in
                switch member.key {
                case "tool_calls", "function_call": true
                case "refusal":
                    !["null", "\"\""].map { Array($0.utf8) }.contains(member.value.encoded())
                default: false
                }
            }
    }
}
