/// A text that must not be seen: printed, logged, dumped or interpolated it is `***`.
package struct Secret: Sendable, Equatable {
    private let text: String

    /// Hides a text.
    package init(_ text: String) { self.text = text }

    /// The text itself, for the one place that needs it.
    package var exposed: String { text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always `***`.
    package var description: String { "***" }
    /// Always `***`.
    package var debugDescription: String { "***" }
    /// Nothing inside, so that `dump` finds nothing.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
