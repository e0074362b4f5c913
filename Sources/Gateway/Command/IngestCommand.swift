internal import EventLoop
internal import JSON
internal import PostgreSQL

/// `archway ingest`: takes files and folders into a collection.
enum IngestCommand {
    static func run(_ arguments: Arguments) throws -> Int32 {
        let name = try arguments.require("collection")
        guard name.isPlainName else {
            throw Arguments.Mistake(description: "--collection takes a name of \(String.plainName)")
        }
        guard !arguments.words.isEmpty else {
            throw Arguments.Mistake(description: "expected files or folders")
        }
        if let base = arguments["base-url"], !base.isBaseURL {
            throw Arguments.Mistake(
                description:
                    "--base-url takes an http or https URL with a host, without user, query, fragment or blanks"
            )
        }
        let isJSON = arguments.has("json")
        let report = try Setup.withDatabase(try Setup.configuration(arguments)) { pool in
            var ingestion = Ingestion(pool: pool, collection: name)
            ingestion.baseURL = arguments["base-url"]
            ingestion.replacesAll = arguments.has("all")
            ingestion.language = arguments["language"]
            return try await ingestion.run(arguments.words) { event in
                if !isJSON { CommandLineReport.say(event.description) }
            }
        }
        CommandLineReport.say(
            isJSON ? String(decoding: report.value.encoded(), as: UTF8.self) : report.summary)
        return report.failed.isEmpty ? 0 : 1
    }
}

extension Ingestion.Report {
    fileprivate var summary: String {
        let counts =
            "\(added) added, \(replaced) replaced, \(unchanged) unchanged, \(empty) empty, "
            + "\(failed.count) failed"
        return unknown == 0 ? counts : "\(counts); \(unknown) of unknown format passed over"
    }

    fileprivate var value: Value {
        [
            "added": .integer(added), "replaced": .integer(replaced),
            "unchanged": .integer(unchanged), "empty": .integer(empty),
            "unknown_format": .integer(unknown),
            "passages": .integer(passages),
            "failed": .array(
                failed.map { ["path": .string($0.path), "reason": .string($0.reason)] }),
        ]
    }
}
