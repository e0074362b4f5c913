internal import Crypto
internal import EventLoop
internal import HTTP
internal import OpenAI
internal import PostgreSQL
internal import Store
internal import System

/// Takes files into a collection: new ones are added, changed ones replaced, unchanged ones left.
///
/// It reads files while it runs, so it is for a command, never for a worker.
@LoopActor struct Ingestion {
    /// What became of one file.
    enum Event: Sendable, Equatable, CustomStringConvertible {
        case added(path: String, passages: Int)
        case replaced(path: String, passages: Int)
        case unchanged(path: String)
        /// It holds no text; what was stored of it before is removed.
        case empty(path: String)
        case failed(path: String, reason: String)

        /// A line for the person who waits: one, whatever the file is called.
        var description: String {
            switch self {
            case .added(let path, let passages):
                "added \(path.onOneLine) (\(passages) passages)"
            case .replaced(let path, let passages):
                "replaced \(path.onOneLine) (\(passages) passages)"
            case .unchanged(let path): "unchanged \(path.onOneLine)"
            case .empty(let path): "empty \(path.onOneLine): holds no text"
            case .failed(let path, let reason): "failed \(path.onOneLine): \(reason)"
            }
        }
    }

    /// What became of all of them.
    struct Report: Sendable, Equatable {
        var added = 0
        var replaced = 0
        var unchanged = 0
        /// Files without text, of which nothing is stored.
        var empty = 0
        /// Files inside of folders that were passed over.
        var unknown = 0
        var passages = 0
        var failed: [Failure] = []

        struct Failure: Sendable, Equatable {
            var path: String
            var reason: String
        }
    }

    /// Bytes of a file, at most.
    nonisolated static let largestFile = 32 << 20
    /// Characters of a document's title, at most.
    nonisolated static let longestTitle = 300

    let pool: PostgreSQL.Pool
    /// The collection's name; it is made, if there is none, for the first document that goes into it.
    let collection: String
    /// PostgreSQL's text search configuration: of a collection that is made (`english` if nil), or to be found there.
    var language: String?
    /// Where the files can be read by others: a document's source is then this and the file's name below the path
    /// that was named; else it is the file's absolute name.
    var baseURL: String?
    /// Replaces unchanged files too.
    var replacesAll = false

    nonisolated init(pool: PostgreSQL.Pool, collection: String) {
        self.pool = pool
        self.collection = collection
    }

    /// Takes in the files at and below `paths`; `progress` hears of each.
    ///
    /// - Throws: `DatabaseError`; a file that cannot be read is reported instead.
    func run(
        _ paths: [String], progress: @LoopActor (Event) -> Void = { _ in }
    ) async throws -> Report {
        var stored = try await find()
        var report = Report()
        let walk = FileWalk(paths)
        report.unknown = walk.unknown
        for failure in walk.failures {
            note(.failed(path: failure.path, reason: failure.reason), in: &report, progress)
        }
        for file in walk.files {
            note(try await take(file, into: &stored), in: &report, progress)
        }
        return report
    }

    /// The collection, if there is one. A language that PostgreSQL lacks would make one that takes nothing.
    private func find() async throws -> KnowledgeCollection? {
        if let language, !(try await Knowledge.speaks(language, in: pool)) {
            throw CommandFailure(
                description: "PostgreSQL has no text search configuration \(language)")
        }
        let stored = try await Knowledge.collection(collection, in: pool)
        if let stored { try checkLanguage(of: stored) }
        return stored
    }

    private func make() async throws -> KnowledgeCollection {
        let stored = try await Knowledge.upsert(
            KnowledgeCollection(
                id: Identifier.make("coll"), name: collection, language: language ?? "english",
                createdAt: .now),
            in: pool)
        try checkLanguage(of: stored)
        return stored
    }

    private func checkLanguage(of stored: KnowledgeCollection) throws(CommandFailure) {
        guard language == nil || language == stored.language else {
            throw CommandFailure(
                description: "the collection \(collection) is in \(stored.language) already")
        }
    }

    private func note(
        _ event: Event, in report: inout Report, _ progress: @LoopActor (Event) -> Void
    ) {
        switch event {
        case .added(_, let passages):
            report.added += 1
            report.passages += passages
        case .replaced(_, let passages):
            report.replaced += 1
            report.passages += passages
        case .unchanged: report.unchanged += 1
        case .empty: report.empty += 1
        case .failed(let path, let reason):
            report.failed.append(.init(path: path, reason: reason))
        }
        progress(event)
    }

    private func take(
        _ file: FileWalk.Found, into stored: inout KnowledgeCollection?
    ) async throws -> Event {
        do {
            let bytes = try SystemFile.read(file.path, limit: Self.largestFile)
            let source = source(of: file)
            let digest = SHA256.hash(bytes)
            if let stored, !replacesAll,
                try await Knowledge.digest(of: source, in: stored.id, pool: pool) == digest
            {
                return .unchanged(path: file.path)
            }
            let text = try Self.read(file, bytes)
            if text.blocks.isEmpty {
                if let stored {
                    _ = try await Knowledge.remove(source: source, from: stored.id, in: pool)
                }
                return .empty(path: file.path)
            }
            let title = Self.title(of: text, in: file)
            let home = if let stored { stored } else { try await make() }
            stored = home
            var document = KnowledgeDocument(
                id: Identifier.make("doc"), collectionID: home.id, source: source,
                title: title, digest: digest, now: .now)
            document.bytes = bytes.count
            let passages = Self.passages(of: text, title: title)
            let isNew = try await Knowledge.replace(document, passages: passages, in: pool)
            return isNew
                ? .added(path: file.path, passages: passages.count)
                : .replaced(path: file.path, passages: passages.count)
        } catch let error as SystemError {
            return .failed(path: file.path, reason: "\(error)")
        } catch let error as UnreadableDocument {
            return .failed(path: file.path, reason: error.description)
        }
    }

    private static func read(
        _ file: FileWalk.Found, _ bytes: [UInt8]
    ) throws(UnreadableDocument) -> DocumentText {
        guard let reader = DocumentReader(name: file.relative) else {
            throw UnreadableDocument(description: "is of no known format")
        }
        return try reader.read(bytes)
    }

    /// A passage without headings stands under the title, so that the title's words find it.
    private static func passages(of text: DocumentText, title: String) -> [NewPassage] {
        PassageCutter().passages(of: text).map { passage in
            let headings = passage.headings.isEmpty ? [title] : passage.headings
            var new = NewPassage(
                id: Identifier.make("passage"),
                heading: headings.joined(separator: Citation.headingSeparator),
                body: text.text(passage.bytes), span: passage.span)
            new.opening = passage.opening
            return new
        }
    }

    private func source(of file: FileWalk.Found) -> String {
        guard let baseURL else { return file.path }
        let parts = file.relative.split(separator: "/").map { PercentEncoding.encode($0) }
        return (baseURL.hasSuffix("/") ? baseURL : baseURL + "/") + parts.joined(separator: "/")
    }

    /// What the document calls itself, else what its file is called: one line, and no longer than a title is.
    private static func title(of text: DocumentText, in file: FileWalk.Found) -> String {
        let own = line(text.title ?? "")
        return own.isEmpty ? line(title(from: file.relative)) : own
    }

    private static func line(_ title: String) -> String {
        let words = title.unicodeScalars.split {
            $0.properties.isWhitespace || $0.properties.generalCategory == .control
        }
        let line = words.map { String($0) }.joined(separator: " ")
        return String(String.UnicodeScalarView(line.unicodeScalars.prefix(longestTitle)))
    }

    /// `travel/hotel-booking_rules.txt` is about "hotel booking rules".
    private static func title(from name: String) -> String {
        let last = name.split(separator: "/").last ?? name[...]
        let stem = last.split(separator: ".").dropLast().joined(separator: ".")
        let words = stem.split { "-_ ".contains($0) }.joined(separator: " ")
        return words.isEmpty ? String(last) : words
    }
}

extension String {
    /// With control characters spelled out, such as `\n` for a line's end.
    fileprivate var onOneLine: String {
        unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control
                ? scalar.escaped(asASCII: true) : String(scalar)
        }.joined()
    }
}
