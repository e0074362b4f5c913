/// A table of a page that is being read, row by row. What reaches over several columns or rows stands in each of them.
struct Table {
    /// Whether a heading has been met; without one it may be no table but a way to lay out the page.
    var hasHeadings = false
    /// The headings of the columns; those of several rows are joined.
    private(set) var head: [String]?
    private(set) var rows: [[String]] = []
    private(set) var isInCell = false

    /// Of the row that has begun.
    private var cells: [String] = []
    /// Whether all its cells so far are headings.
    private var isHead = true
    /// How far the cell that has begun reaches.
    private var span = (columns: 1, rows: 1)
    /// What reaches down from rows above, by column, and into how many rows more.
    private var hanging: [Int: (text: String, rows: Int)] = [:]

    /// Cells of a row, at most.
    private static let widest = 200
    /// A text of more bytes is not repeated.
    private static let longest = 200

    mutating func begin(isHeading: Bool, columns: Int, rows: Int) {
        takeHanging()
        if !isHeading { isHead = false }
        span = (columns, rows)
        isInCell = true
    }

    mutating func end(_ text: String) {
        let again = text.utf8.count <= Self.longest ? text : ""
        for column in 0..<span.columns where cells.count < Self.widest {
            if span.rows > 1 { hanging[cells.count] = (again, span.rows - 1) }
            cells.append(column == 0 ? text : again)
        }
        isInCell = false
    }

    mutating func endRow() {
        takeHanging()
        defer { (cells, isHead) = ([], true) }
        guard cells.contains(where: { !$0.isEmpty }) else { return }
        guard isHead, rows.isEmpty else { return rows.append(cells) }
        head = head.map { joined($0, cells) } ?? cells
    }

    private mutating func takeHanging() {
        while let (text, rows) = hanging[cells.count], cells.count < Self.widest {
            hanging[cells.count] = rows > 1 ? (text, rows - 1) : nil
            cells.append(text)
        }
    }

    private func joined(_ upper: [String], _ lower: [String]) -> [String] {
        (0..<max(upper.count, lower.count)).map { column in
            let texts = [upper, lower].compactMap { column < $0.count ? $0[column] : nil }
            return texts.first == texts.last
                ? texts.first ?? "" : texts.filter { !$0.isEmpty }.joined(separator: " ")
        }
    }
}
