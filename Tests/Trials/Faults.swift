import EventLoop
import Foundation
import History
import TestSupport

/// What can be done to the system while clients act.
package enum Fault: String, CaseIterable, Sendable {
    case killWorker = "worker killed"
    case stopWorker = "worker stopped for a moment"
    case reload = "reload"
    case restartDatabase = "PostgreSQL stopped and started"
    case crashDatabase = "PostgreSQL killed and started"
    case freezeDatabase = "PostgreSQL stopped for a moment"
    case reloadWebServer = "nginx reload"

    /// A fault at its moment.
    struct Planned: Sendable {
        var fault: Fault
        /// Milliseconds after the one before.
        var pause: Int
        /// Milliseconds that it lasts, if it lasts.
        var length: Int
    }

    /// The faults of a seed, for so many milliseconds, chosen among these.
    static func plan(
        seed: Int, milliseconds: Int, among faults: [Fault] = allCases
    ) -> [Planned] {
        var dice = Dice(seed: seed, player: -1)
        var (planned, left) = ([Planned](), milliseconds)
        while true {
            let next = Planned(
                fault: faults.randomElement(using: &dice) ?? .reload,
                pause: dice.number(150...900), length: dice.number(100...1500))
            left -= next.pause
            guard left > 0 else { return planned }
            planned.append(next)
        }
    }
}

extension Trial {
    /// Waits, and does it. Whatever was stopped goes on afterwards.
    func suffer(_ planned: Fault.Planned) async throws {
        try await Loop.sleep(milliseconds: planned.pause)
        let (name, length) = (planned.fault.rawValue, planned.length)
        let (deployment, server) = (site.deployment, site.deployment.server)
        switch planned.fault {
        case .killWorker:
            guard let worker = site.workers.first else { return }
            await fault(name, isDeadly: true) { kill(worker, SIGKILL) }
        case .stopWorker:
            guard let worker = site.workers.first else { return }
            try await fault(name) {
                kill(worker, SIGSTOP)
                defer { kill(worker, SIGCONT) }
                try await Loop.sleep(milliseconds: length)
            }
        case .reload: await fault(name) { deployment.signal(SIGHUP) }
        case .reloadWebServer: await fault(name) { deployment.signalNginx(SIGHUP) }
        case .restartDatabase:
            try await fault(name) {
                try await server.stop()
                try await Loop.sleep(milliseconds: length)
                try await server.start()
            }
        case .crashDatabase:
            try await fault(name) {
                try await server.kill()
                try await Loop.sleep(milliseconds: length)
                try await server.start()
            }
        case .freezeDatabase:
            try await fault(name) {
                try await server.freeze()
                try await Loop.sleep(milliseconds: length)
                try await server.thaw()
            }
        }
    }
}
