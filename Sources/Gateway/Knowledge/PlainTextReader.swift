/// Text without markup: paragraphs between empty lines.
enum PlainTextReader {
    static func read(_ utf8: [UInt8]) -> DocumentText {
        var document = DocumentText(title: nil, utf8: utf8)
        var open: Range<Int>?
        func close() {
            if let bytes = open { document.blocks.append(.init(headings: [], bytes: bytes)) }
            open = nil
        }
        for line in Lines(of: utf8) {
            if utf8[line].allSatisfy(ASCII.isBlank) {
                close()
            } else {
                open = (open?.lowerBound ?? line.lowerBound)..<line.upperBound
            }
        }
        close()
        return document
    }
}
