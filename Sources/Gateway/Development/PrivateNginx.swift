import EventLoop
import System

/// nginx for this person alone: own configuration, own folder, and the snippet that is shipped.
struct PrivateNginx {
    let state: DevelopmentState
    let port: UInt16

    /// Writes the configuration and says how to start nginx in the state folder. All names are relative to that
    /// folder, so no path can be too long for a socket or need quoting.
    func launch() throws -> Subprocess.Launch {
        guard let program = Programs.find("nginx", also: ["/usr/sbin", "/usr/local/sbin"]) else {
            throw DevelopmentError("nginx is missing. On Debian: apt-get install nginx")
        }
        try SystemFile.write(Array(text.utf8), to: "\(state.folder)/nginx/nginx.conf", mode: 0o600)
        try SystemFile.write(
            PackageResources.archway_snippet_conf,
            to: "\(state.folder)/nginx/snippets/archway.conf", mode: 0o600)
        return Subprocess.Launch(program, ["-p", "./", "-c", "nginx/nginx.conf", "-e", "stderr"])
    }

    private var text: String {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "    \($0)_temp_path nginx/temporary/\($0);\n" }.joined()
        // nginx started by root gives its workers away to another user, who may not enter the folder.
        let user = SystemUser.current.id == 0 ? "user root;\n" : ""
        return """
            # Written by `archway dev` at each start: changes are lost.
            daemon off;
            \(user)pid run/nginx.pid;
            error_log stderr notice;
            worker_processes auto;
            worker_rlimit_nofile 16384;
            events { worker_connections 8192; }
            http {
                access_log off;
            \(temporary)
                upstream archway { server unix:run/archway.sock max_fails=0; }
                server {
                    listen 127.0.0.1:\(port) backlog=4096;
                    server_name localhost;
                    include snippets/archway.conf;
                    location / { fastcgi_pass archway; }
                }
            }

            """
    }
}

/// Programs of this machine.
enum Programs {
    /// Where a program is: in `PATH`, or in one of the other folders.
    static func find(_ name: String, also folders: [String] = []) -> String? {
        let path = SystemFile.environmentVariable("PATH") ?? "/usr/bin:/bin"
        return (path.split(separator: ":").map(String.init) + folders)
            .map { "\($0)/\(name)" }.first(where: SystemFile.isExecutable)
    }

    /// The file of this very program.
    static var own: String { SystemFile.target(ofLink: "/proc/self/exe") ?? "archway" }
}
