/// A JSON Schema, as far as structured outputs and the usual generators of schemas use it.
///
/// Of draft 2020-12: `type`, `properties`, `required`, `additionalProperties`, `items`, `prefixItems`, `enum`, `const`,
/// `anyOf`, `oneOf`, `allOf`, `not`, `if` with `then` and `else`, `$ref` within the schema, `minimum`, `maximum`,
/// `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`, `minLength`, `maxLength` (in Unicode scalars), `minItems`,
/// `maxItems`, `uniqueItems`, `minProperties`, `maxProperties`. All else is ignored, also `format` and `pattern`, and
/// keywords whose value makes no sense. Beside `patternProperties` also `additionalProperties` is ignored, since a
/// pattern may allow the member. Where a fit would be a fault (`not`, `if`, the second match of `oneOf`) and something
/// was ignored on the way to it, there is no verdict.
package struct Schema: Sendable {
    /// What a check finds.
    package enum Verdict: Sendable, Equatable {
        /// The value fits.
        case valid
        /// The value does not fit: where and why, as `$.steps[2].result must be a string`. Tells keys of the value
        /// and values of the schema.
        case invalid(String)
        /// Nobody knows: the check took more than it may, or the schema refers to what is not in it. Says which.
        case unchecked(String)
    }

    /// Steps that a check may take: members, elements, keywords and pieces of texts that are looked at. As many
    /// take less than a tenth of a second.
    package static let stepLimit = 200_000

    private let root: Node

    /// A schema that is an object, `true` or `false`. Nothing in it is judged before it is used.
    package init(_ root: Node) {
        self.root = root
    }

    /// Whether a value fits, within so many steps.
    package func verdict(on value: Node, steps: Int = Schema.stepLimit) -> Verdict {
        var check = SchemaCheck(root, steps: steps)
        do throws(SchemaCheck.Surrender) {
            let fault = try check.fault(of: value, under: root)
            return fault.map { .invalid($0.description) } ?? .valid
        } catch {
            return .unchecked(error.reason)
        }
    }
}
