internal import Crypto
internal import EventLoop
internal import HTTP
internal import OpenAI
internal import PostgreSQL
internal import Store
internal import System

/// Takes files into a collection: new ones are added, changed ones replaced, unchanged ones skipped.
///
/// It reads files while it runs, so it is for a command, never for a worker.
@LoopActor struct Ingestion {
    /// What became of one file.
    enum Event: Sendable, Equatable, CustomStringConvertible {
        case added(path: String, passages: Int)
        case replaced(path: String, passages: Int)
        case skipped(path: String)
        case empty(path: String)
        case failed(path: String, reason: String)

        /// A line for the person who waits.
        var description: String {
            switch self {
            case .added(let path, let passages): "added \(path) (\(passages) passages)"
            case .replaced(let path, let passages): "replaced \(path) (\(passages) passages)"
            case .skipped(let path): "unchanged \(path)"
            case .empty(let path): "passed over \(path): holds no text"
            case .failed(let path, let reason): "failed \(path): \(reason)"
            }
        }
    }

    /// What became of all of them.
    struct Report: Sendable, Equatable {
        var added = 0
        var replaced = 0
        var skipped = 0
        var passages = 0
        var failed: [Failure] = []

        struct Failure: Sendable, Equatable {
            var path: String
            var reason: String
        }
    }

    /// Bytes of a file, at most.
    nonisolated static let largestFile = 32 << 20

    let pool: PostgreSQL.Pool
    /// The collection's name; it is made if there is none.
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
        let stored = try await store()
        var report = Report()
        let walk = FileWalk(paths)
        for failure in walk.failures {
            note(.failed(path: failure.path, reason: failure.reason), in: &report, progress)
        }
        for file in walk.files {
            note(try await take(file, into: stored.id), in: &report, progress)
        }
        return report
    }

    /// The collection. A language that PostgreSQL lacks would make one that takes nothing.
    private func store() async throws -> KnowledgeCollection {
        if let language, !(try await Knowledge.speaks(language, in: pool)) {
            throw CommandFailure(
                description: "PostgreSQL has no text search configuration \(language)")
        }
        let stored = try await Knowledge.upsert(
            KnowledgeCollection(
                id: Identifier.make("coll"), name: collection, language: language ?? "english",
                createdAt: .now),
            in: pool)
        guard language == nil || language == stored.language else {
            throw CommandFailure(
                description: "the collection \(collection) is in \(stored.language) already")
        }
        return stored
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
        case .skipped: report.skipped += 1
        case .empty: break
        case .failed(let path, let reason):
            report.failed.append(.init(path: path, reason: reason))
        }
        progress(event)
    }

    private func take(_ file: FileWalk.Found, into collectionID: String) async throws -> Event {
        do {
            let bytes = try SystemFile.read(file.path, limit: Self.largestFile)
            let source = source(of: file)
            let digest = SHA256.hash(bytes)
            let known = try await Knowledge.digest(of: source, in: collectionID, pool: pool)
            if known == digest, !replacesAll { return .skipped(path: file.path) }
            let text = try Self.read(file, bytes)
            if text.blocks.isEmpty { return .empty(path: file.path) }
            let title = text.title ?? Self.title(from: file.relative)
            var document = KnowledgeDocument(
                id: Identifier.make("doc"), collectionID: collectionID, source: source,
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

    /// `travel/hotel-booking_rules.txt` is about "hotel booking rules".
    private static func title(from name: String) -> String {
        let last = name.split(separator: "/").last ?? name[...]
        let stem = last.split(separator: ".").dropLast().joined(separator: ".")
        let words = stem.split { "-_ ".contains($0) }.joined(separator: " ")
        return words.isEmpty ? String(last) : words
    }
}
