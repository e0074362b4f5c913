import EventLoop
import Foundation
import TestSupport
import Testing

extension EndToEnd.Database {
    /// What is not a plain outage.
    @Suite("With a database that is there and no use") @LoopActor struct Faults {
        typealias Database = EndToEnd.Database

        /// What is stored of chats: turns, whole ones, and rows of usage.
        private static func stored(_ site: Deployment) async throws -> String {
            try await site.sql(
                """
                SELECT (SELECT count(*) FROM turns) || '|'
                    || (SELECT count(*) FROM turns WHERE status = 'completed') || '|'
                    || (SELECT count(*) FROM usage WHERE route LIKE 'POST%')
                """)
        }

        /// Asks in so many new chats at once, each of which must be answered.
        private static func ask(
            _ count: Int, _ name: String, _ site: Deployment, _ user: User
        ) async throws {
            let replies = try await concurrently(count) { number in
                try await site.answer(
                    Chat("echo", "canary \(number)").inChat("\(name)-\(number)"), user)
            }
            #expect(Set(replies.map(\.status)) == [200])
        }

        @Test(
            "C5: Out of connections, signed out or without rights, it is 503, readiness says why, and it heals"
        )
        func refusals() async throws {
            let server = try await TemporaryPostgreSQL.make()
            try await server.sql("CREATE ROLE archway_worker LOGIN", database: "postgres")
            try await withDeployment(Database.plan { $0.server = server }) { site, user in
                try site.reconfigure { $0.replacing("user=archway", with: "user=archway_worker") }
                site.signal(SIGHUP)
                let isReloaded = await waitUntil(seconds: 20) {
                    site.log.lines("worker_ended").count == 2
                }
                #expect(isReloaded)
                try await Database.introduce(user, site)
                let unknown = try await site.makeUser()
                func suffer(_ fault: String, _ cure: String, _ reason: String) async throws {
                    // Committed before any worker connects again.
                    try await server.sql(fault, database: site.database)
                    try await server.sql(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE usename = 'archway_worker'
                        """, database: site.database)
                    try await Database.ready(503, "database unavailable: \(reason)", site)
                    let refused = try await site.get("/v1/models", unknown)
                    Expected(503, "database_unavailable").check(refused)
                    #expect(!refused.text.contains("archway_worker"))
                    try await Self.ask(4, reason, site, user)
                    try await server.sql(cure, database: site.database)
                    try await Database.ready(200, nil, site)
                    #expect(await Database.isReplayed(site))
                }
                try await suffer(
                    "ALTER ROLE archway_worker CONNECTION LIMIT 0",
                    "ALTER ROLE archway_worker CONNECTION LIMIT -1", "no connections left")
                try await suffer(
                    "ALTER ROLE archway_worker NOLOGIN", "ALTER ROLE archway_worker LOGIN",
                    "sign-in refused")
                try await suffer(
                    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM archway_worker",
                    """
                    GRANT SELECT ON migrations TO archway_worker;
                    GRANT SELECT, INSERT, UPDATE, DELETE ON users, api_tokens, conversations, turns,
                        stored_completions TO archway_worker;
                    GRANT SELECT, INSERT ON usage TO archway_worker;
                    GRANT INSERT ON audit TO archway_worker
                    """, "the role lacks rights")
                #expect(try await Self.stored(site) == "24|24|12")
            }
            try await server.stop()
        }

        @Test("C6: When a standby takes over, what was being written goes there, once")
        func failover() async throws {
            let (first, second) = try await Self.pair()
            let plan = Database.plan {
                $0.server = first
                $0.database = { name in
                    "host=\(first.folder),\(second.folder) dbname=\(name) user=archway "
                        + "target_session_attrs=read-write"
                }
            }
            try await withDeployment(plan) { site, user in
                try await Database.introduce(user, site)
                try await Self.ask(4, "before", site, user)
                let isCopied = await waitUntil {
                    (try? await second.sql("SELECT count(*) FROM usage", database: site.database))
                        == "4"
                }
                #expect(isCopied)
                try await first.kill()
                try await Database.ready(503, nil, site)
                try await Self.ask(4, "between", site, user)
                try await second.promote()
                let started = Loop.now
                try await Database.ready(200, nil, site)
                figure("ready \(Loop.now - started) ms after the standby was promoted")
                #expect(Loop.now - started < 20_000)
                try await Self.ask(4, "after", site, user)
                #expect(await Database.isReplayed(site))
                let turns = try await second.sql(
                    "SELECT count(*) || '|' || (SELECT count(*) FROM usage) FROM turns",
                    database: site.database)
                #expect(turns == "24|12")
            }
            try await second.stop()
        }

        private static func pair() async throws -> (TemporaryPostgreSQL, TemporaryPostgreSQL) {
            let first = try await TemporaryPostgreSQL.make()
            return (first, try await first.makeStandby())
        }

        @Test("C7: A commit whose acknowledgement never came is found, and nothing is stored twice")
        func lostAcknowledgements() async throws {
            try await withDeployment(Database.plan()) { site, user in
                try await Database.introduce(user, site)
                // Commits are on the server's disk now, and wait for a copy that does not exist to say so.
                try await site.server.sql(
                    "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", database: "postgres")
                try await site.server.sql("SELECT pg_reload_conf()", database: "postgres")
                let isWaiting = try await waitUntil(seconds: 20) {
                    try await Self.ask(2, "try-\(Loop.now)", site, user)
                    return !site.spooled.isEmpty
                }
                #expect(isWaiting)
                try await Self.ask(10, "unacknowledged", site, user)
                let waiting = try await site.sql(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
                #expect(Int(waiting).map { $0 > 0 } == true, "\(waiting)")
                try await site.server.kill()
                try await site.server.start(options: "-c synchronous_standby_names=''")
                #expect(await Database.isReplayed(site))
                let twice = try await site.sql(
                    """
                    SELECT count(*) FROM conversations c WHERE 2 <> (SELECT count(*) FROM turns t
                        WHERE t.conversation_id = c.id AND t.status = 'completed')
                    """)
                #expect(twice == "0")
                let usage = try await site.sql(
                    """
                    SELECT (SELECT count(*) FROM usage WHERE route LIKE 'POST%')
                        = (SELECT count(*) FROM conversations)
                    """)
                #expect(usage == "t")
            }
        }

        @Test("C8: With its disk full reads go on, and what is written waits")
        func fullDisk() async throws {
            try await withDeployment(Database.plan()) { site, user in
                let kept = try await site.answer(
                    Chat("echo").with { $0.members["store"] = true }, user)
                let id = try #require(kept.json["id"].string)
                try await site.sql(
                    """
                    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                        RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
                    CREATE TRIGGER full_disk BEFORE INSERT ON turns EXECUTE FUNCTION full_disk();
                    CREATE TRIGGER full_disk BEFORE INSERT ON usage EXECUTE FUNCTION full_disk();
                    """)
                try await Self.ask(10, "full", site, user)
                #expect(!site.spooled.isEmpty)
                #expect(try await Self.stored(site) == "2|2|1")
                #expect(try await site.get("/v1/chat/completions/\(id)", user).status == 200)
                #expect(!site.log.lines("spooling").isEmpty)
                try await site.sql(
                    "DROP TRIGGER full_disk ON turns; DROP TRIGGER full_disk ON usage")
                #expect(await Database.isReplayed(site))
                #expect(try await Self.stored(site) == "22|22|11")
            }
        }

        @Test(
            "C9: It starts without a server, without a schema and with a newer one, says so, and is no use to nobody"
        )
        func starts() async throws {
            try await withDeployment(Database.plan()) { site, user in
                try await site.server.stop()
                site.signal(SIGTERM)
                #expect(try await site.gatewayEnd(seconds: 20) == 0)
                try await site.startGateway(untilReady: false)
                try await Database.ready(503, "database unavailable", site)
                Expected(503, "database_unavailable").check(try await site.get("/v1/models", user))
                try await site.server.start()
                try await Database.ready(200, nil, site)
                try await Database.models(200, user, site)

                try await site.sql("INSERT INTO migrations VALUES (999, 'newer', now())")
                try await Database.ready(503, "migrated by a newer version", site)
                let refused = try await Program.run(
                    [Deployment.program, "migrate", "--config", site.configurationFile])
                #expect(refused.code != 0 && refused.errors.contains("newer"))
                try await site.sql("DELETE FROM migrations WHERE version = 999")
                try await Database.ready(200, nil, site)

                let stranger = try await site.makeUser()
                try await site.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
                try await Database.ready(503, "run `archway migrate`", site)
                Expected(503, "database_unavailable")
                    .check(try await site.get("/v1/models", stranger))
                try await site.archway("migrate")
                try await Database.ready(200, nil, site)
                try await Database.models(401, stranger, site)
            }
        }

        @Test("C10: Through PgBouncer in transaction mode all works, and revocation holds at once")
        func pooler() async throws {
            let server = try await TemporaryPostgreSQL.make()
            let pooler = try await PgBouncer(before: server)
            let plan = Database.plan {
                $0.server = server
                $0.database = { pooler.conninfo(database: $0) }
            }
            try await withDeployment(plan) { site, user in
                try await Self.ask(20, "pooled", site, user)
                try await Self.ask(20, "again", site, user)
                #expect(try await Self.stored(site) == "80|80|40")
                let isSaid = await waitUntil {
                    site.log.lines("notifications_missing").count == site.plan.workers
                }
                #expect(isSaid)
                let other = try await site.makeUser()
                try await Database.introduce(other, site)
                try await site.sql(
                    "UPDATE api_tokens SET revoked_at = now() WHERE user_id = '\(other.id)'")
                for _ in 0..<10 {
                    #expect(try await site.get("/v1/models", other).status == 401)
                }
                try await site.server.stop()
                try await Database.ready(503, nil, site)
                try await Self.ask(5, "away", site, user)
                try await site.server.start()
                #expect(await Database.isReplayed(site))
                #expect(try await Self.stored(site) == "90|90|45")
            }
            await pooler.stop()
            try await server.stop()
        }
    }
}
