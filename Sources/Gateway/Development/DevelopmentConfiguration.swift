import EventLoop
import System
import JSON
import YAML

/// The configuration that `archway dev` writes: what this machine needs, the built-in models, and all that the
/// person's own file says, which wins where both name the same provider or model.
struct DevelopmentConfiguration {
    /// The socket's path as the pool and nginx shall use it.
    let socket: String
    /// libpq's connection string.
    let database: String
    /// The folder for what waits for the database.
    let spool: String

    /// What the built-in model `docs` is called.
    static let docsName = "Archway's documentation, quoted"

    /// Settings that only `dev` knows; the person's file cannot change them.
    private static let own: Set = ["socket", "database", "spool", "pepper", "pepper_version"]

    /// Writes the file, with the person's `file` merged in. Throws `ConfigurationError` with its lines and columns.
    func write(to path: String, adding file: String?) throws {
        try write(builtIn, to: path)
        guard let file else { return }
        _ = try Configuration(path: file, base: Configuration(path: path))
        let text = String(decoding: try SystemFile.read(file, limit: 1 << 20), as: UTF8.self)
        try write(merge(builtIn, try parse(text), folder: Self.folder(of: file)), to: path)
        _ = try Configuration(path: path)
    }

    private var builtIn: Block {
        Block([
            ("socket", .text(socket)),
            ("database", .text(database)),
            ("spool", .text(spool)),
            ("pepper", .verbatim("${file:pepper}")),
            // Ctrl-C shall not wait for long answers.
            ("drain_timeout", .plain("3")),
            (
                "providers",
                .mapping([
                    (
                        "ollama",
                        .mapping([
                            ("kind", .plain("ollama")),
                            ("base_url", .text("http://localhost:11434")),
                        ])
                    )
                ])
            ),
            (
                "models",
                .sequence([
                    .mapping([
                        ("id", .plain("docs")),
                        ("name", .text(Self.docsName)),
                        ("candidates", .sequence([.mapping([("provider", .plain("extractive"))])])),
                        ("retrieval", .mapping([("collections", .sequence([.plain("docs")]))])),
                    ])
                ])
            ),
        ])
    }

    private func merge(_ own: Block, _ file: YAML.Node, folder: String) -> Block {
        var result = own
        guard case .mapping(let pairs) = file.content else { return result }
        for (key, node) in pairs {
            guard let key = key.text, !Self.own.contains(key) else { continue }
            let value = Block.Value(node, folder: folder)
            switch key {
            case "providers": result.merge(key, value, by: nil)
            case "models": result.merge(key, value, by: "id")
            default: result.set(key, value)
            }
        }
        return result
    }

    private func write(_ block: Block, to path: String) throws {
        let head =
            "# Written by `archway dev` at each start: changes are lost. Give yours by --config.\n"
        try SystemFile.write(Array((head + block.text).utf8), to: path, mode: 0o600)
    }

    private static func folder(of file: String) -> String {
        let absolute = file.hasPrefix("/") ? file : "\(SystemFile.currentFolder)/\(file)"
        return String(absolute[..<(absolute.lastIndex(of: "/") ?? absolute.endIndex)])
    }
}
