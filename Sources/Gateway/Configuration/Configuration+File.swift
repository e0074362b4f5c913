import EventLoop
import System

extension Configuration {
    /// Reads a file, by the process's environment; paths in `${file:}` are relative to the file's folder.
    /// Blocks: for the start of a process only.
    package init(path: String, base: Configuration = Configuration()) throws(ConfigurationError) {
        let text: String
        do throws(SystemError) {
            text = String(decoding: try SystemFile.read(path, limit: 1 << 20), as: UTF8.self)
        } catch {
            let problem = ConfigurationError.Problem(line: 0, column: 0, message: "\(error)")
            throw ConfigurationError(file: path, problems: [problem])
        }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        let references = References(
            environment: SystemFile.environmentVariable,
            file: { file in
                try SystemFile.read(file.hasPrefix("/") ? file : folder + file, limit: 1 << 20)
            })
        try self.init(text, file: path, references: references, base: base)
    }
}
