import CXML

/// A page parsed by libxml2, which owns its tree until `deinit`.
@safe final class Page {
    /// What a walk over the tree meets.
    enum Event {
        case begin(String), end(String), text(String)
        /// Begins a cell of a table, which reaches over so many columns and rows.
        case cell(isHeading: Bool, columns: Int, rows: Int)
    }

    private let document: htmlDocPtr

    /// libxml2 wants this once, before it is used from several threads.
    private static let isReady: Void = xmlInitParser()

    /// `htmlCtxtReadMemory`: nothing is fetched, faults are mended silently. libxml2 gives up beyond
    /// `depth` elements within each other and would pass off what it has as the page.
    init(_ html: [UInt8]) throws(HTMLError) {
        _ = Self.isReady
        let context = unsafe htmlNewParserCtxt()
        defer { unsafe htmlFreeParserCtxt(context) }
        let options =
            HTML_PARSE_NONET.rawValue | HTML_PARSE_NOERROR.rawValue
            | HTML_PARSE_NOWARNING.rawValue | HTML_PARSE_RECOVER.rawValue
        let isUTF8 = String(validating: html, as: UTF8.self) != nil
        let parsed = unsafe html.withUnsafeBytes { bytes in
            unsafe htmlCtxtReadMemory(
                context, bytes.bindMemory(to: CChar.self).baseAddress,
                Int32(clamping: bytes.count), nil, isUTF8 ? "UTF-8" : nil, Int32(options))
        }
        guard let context = unsafe context, let parsed = unsafe parsed else { throw .unreadable }
        unsafe document = parsed
        guard unsafe context.pointee.disableSAX == 0 else { throw .tooDeep(limit: Self.depth) }
    }

    /// Elements within each other that libxml2 follows (`xmlParserMaxDepth`).
    static let depth = 256

    deinit { unsafe xmlFreeDoc(document) }

    /// Tells elements and texts in document order, by the tree's own links instead of recursion.
    /// An element for which `skips` is true, or that a browser would not show, is passed over with all that it holds.
    func walk(
        skips: (String) -> Bool, _ tell: (Event) -> Void
    ) throws(HTMLError) {
        var node = unsafe xmlDocGetRootElement(document)
        var depth = 0
        while let current = unsafe node {
            if let name = unsafe Self.elementName(current), !skips(name),
                unsafe !Self.isHidden(current)
            {
                tell(unsafe Self.beginning(of: current, name))
                if let child = unsafe current.pointee.children {
                    depth += 1
                    guard depth <= Self.depth + 2 else { throw .tooDeep(limit: Self.depth) }
                    unsafe node = child
                    continue
                }
                tell(.end(name))
            } else if let text = unsafe Self.text(current) {
                tell(.text(text))
            }
            unsafe node = Self.following(current, &depth, tell)
        }
    }

    /// The next sibling, of the node or of the nearest ancestor that has one; tells ends on the way up.
    private static func following(
        _ start: xmlNodePtr, _ depth: inout Int, _ tell: (Event) -> Void
    ) -> xmlNodePtr? {
        var node = unsafe start
        while depth > 0 {
            if let next = unsafe node.pointee.next { return unsafe next }
            guard let parent = unsafe node.pointee.parent else { return nil }
            if let name = unsafe elementName(parent) { tell(.end(name)) }
            unsafe node = parent
            depth -= 1
        }
        return nil
    }

    private static func elementName(_ node: xmlNodePtr) -> String? {
        guard unsafe node.pointee.type == XML_ELEMENT_NODE, let name = unsafe node.pointee.name
        else { return nil }
        return unsafe String(cString: name)
    }

    /// HTML lets a cell reach over 1000 columns; nobody has such tables but to do harm.
    private static let longestSpan = 50

    private static func beginning(of node: xmlNodePtr, _ name: String) -> Event {
        guard name == "td" || name == "th" else { return .begin(name) }
        func span(_ attribute: String) -> Int {
            let text = unsafe Self.attribute(attribute, of: node) ?? ""
            return min(max(1, Int(text) ?? 1), longestSpan)
        }
        return .cell(isHeading: name == "th", columns: span("colspan"), rows: span("rowspan"))
    }

    /// Whether an element is not shown, as it says by `hidden` or a style of its own, or shows no text of the page but
    /// a means to edit it or to link to it (MediaWiki's, Sphinx's).
    private static func isHidden(_ node: xmlNodePtr) -> Bool {
        if unsafe xmlHasProp(node, "hidden") != nil { return true }
        let rules = unsafe attribute("style", of: node)?.lowercased().filter { !$0.isWhitespace }
        if let rules, rules.contains("display:none") || rules.contains("visibility:hidden") {
            return true
        }
        let classes = unsafe attribute("class", of: node)?.split(separator: " ") ?? []
        return classes.contains { ["headerlink", "mw-editsection"].contains($0) }
    }

    private static func attribute(_ name: String, of node: xmlNodePtr) -> String? {
        guard let value = unsafe xmlHasProp(node, name)?.pointee.children else { return nil }
        return unsafe text(value)
    }

    private static func text(_ node: xmlNodePtr) -> String? {
        guard unsafe node.pointee.type == XML_TEXT_NODE, let text = unsafe node.pointee.content
        else { return nil }
        return unsafe String(cString: text)
    }
}
