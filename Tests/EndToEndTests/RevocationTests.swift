import EventLoop
import TestSupport
import Testing

extension EndToEnd.Database {
    @Test("C2: A token that was revoked between two outages stays refused in the second one")
    func revokedBetween() async throws {
        try await withDeployment(Self.plan { $0.workers = 4 }) { site, user in
            let admin = try await site.makeUser(role: "admin")
            try await Self.introduce(user, site)
            try await Self.introduce(admin, site)
            let id = try await site.sql("SELECT id FROM api_tokens WHERE user_id = '\(user.id)'")
            let path = "/api/admin/users/\(user.id)/api-tokens/\(id)"
            try await site.server.stop()
            // By then the workers look for it seldom, and not at the same moments.
            try await Loop.sleep(milliseconds: 3000)
            try await site.server.start()
            var statuses: [Int] = []
            let isRevoked = try await waitUntil {
                statuses.append(try await site.send("DELETE", path, admin.token).status)
                return statuses.last == 200
            }
            #expect(isRevoked && Set(statuses).isSubset(of: [200, 503]))
            // It goes away before all workers can have heard of the revocation from it.
            try await site.server.stop()
            let accepted = try await concurrently(40) { _ in
                try await site.get("/v1/models", user).status
            }
            #expect(Set(accepted).isSubset(of: [401, 503]), "\(accepted)")
        }
    }
}
