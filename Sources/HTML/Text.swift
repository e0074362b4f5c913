/// The readable text of a page.
package struct Text: Sendable, Equatable {
    /// The page's title; nil if it has none.
    package var title: String?
    /// What stands on the page, in order.
    package var blocks: [Block]
}

/// A piece of a page's text. Blanks are single except in preformatted text; no piece is empty.
package enum Block: Sendable, Equatable {
    /// A heading, level 1 to 6.
    case heading(level: Int, text: String)
    case paragraph(text: String)
    /// Text that keeps its blanks and line ends.
    case preformatted(text: String)
    /// An item of a list within `depth` others; its number where the list has numbers.
    case item(text: String, number: Int?, depth: Int)
    /// A table that has headings, its cells row by row; those of `head` are the headings of the columns.
    case table(head: [String]?, rows: [[String]])
}

/// Why a page could not be read.
package enum HTMLError: Error, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// More bytes than are read (the limit).
    case tooLarge(limit: Int)
    /// Elements within each other deeper than are followed (the limit).
    case tooDeep(limit: Int)
    /// libxml2 found nothing that it could make a page of.
    case unreadable

    /// The fault in English; holds nothing of the page.
    package var description: String {
        switch self {
        case .tooLarge(let limit): "the page is larger than \(limit) bytes"
        case .tooDeep(let limit): "the page is nested deeper than \(limit)"
        case .unreadable: "the page is not readable as HTML"
        }
    }
    /// The same.
    package var debugDescription: String { "HTMLError: \(description)" }
}
