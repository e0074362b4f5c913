/// Which of some names are meant.
package enum Selection: Sendable, Equatable {
    /// Every one; spelled `"*"`.
    case all
    /// Those listed.
    case only([String])

    /// Whether a name is meant.
    package func contains(_ name: String) -> Bool {
        switch self {
        case .all: true
        case .only(let names): names.contains(name)
        }
    }
}
