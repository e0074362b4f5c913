import EventLoop
import PostgreSQL
import TestSupport
import Testing

@Suite("A statement")
@LoopActor
struct StatementTests {
    @Test(
        "carries every character as a value, never as SQL",
        arguments: [
            "", "'", "''; DROP TABLE users; --", "\\", "$1", "a\tb\r\nc", "{\"a\",NULL}", "é😀",
            "\u{1}\u{7f}\u{2028}", "\"; SELECT pg_sleep(9)", "%s%n", "NULL",
        ])
    func echoes(text: String) async throws {
        let pool = try await makePool()
        let both = Statement("both", "SELECT $1::text, $2::text[]")
        let row = try #require(
            try await pool.query(both, [.text(text), .textArray([text, nil])]).first)
        #expect(try row.text(0) == text)
        #expect(try row.textArray(1) == [text])
        await pool.close()
    }

    @Test("carries bytes with NUL, and refuses NUL in text instead of cutting it")
    func bytes() async throws {
        let pool = try await makePool()
        let every = (0...255).map { UInt8($0) }
        let bytes = Statement("bytes", "SELECT $1::bytea, $2::bytea[], octet_length($1::bytea)")
        let row = try #require(
            try await pool.query(bytes, [.bytes(every), .bytesArray([every, [], [0]])]).first)
        #expect(try row.bytes(0) == every)
        #expect(try row.bytesArray(1) == [every, [], [0]])
        #expect(try row.integer(2) == 256)

        let error = await databaseError { _ = try await pool.query(.echo, [.text("a\0b")]) }
        #expect(error?.sqlstate == "22021")
        let array = Statement("array", "SELECT $1::text[]")
        let other = await databaseError { _ = try await pool.query(array, [.textArray(["a\0b"])]) }
        #expect(other?.sqlstate == "22021")
        await pool.close()
    }

    @Test("returns every type that it takes")
    func types() async throws {
        let pool = try await makePool()
        let types = Statement(
            "types",
            """
            SELECT $1::bigint, $2::integer, $3::boolean, $4::float8, $5::timestamptz, $6::text,
                $7::bigint[] = ARRAY[1, NULL, -3]::bigint[], $8::boolean[] = ARRAY[true, false],
                ($9::timestamptz[])[1], $10::text[], $11::smallint, 'x'::name, '{"a": 1}'::json
            """)
        let time = Timestamp(microseconds: 1_795_132_800_123_456)
        let rows = try await pool.query(
            types,
            [
                .integer(.min), .integer(-7), .boolean(true), .number(0.1), .timestamp(time), .null,
                .integerArray([1, nil, -3]), .booleanArray([true, false]), .timestampArray([time]),
                .textArray([]), .integer(-2),
            ])
        let row = try #require(rows.first)
        #expect(try row.integer(0) == .min)
        #expect(try row.integer(1) == -7)
        #expect(try row.boolean(2))
        #expect(try row.number(3) == 0.1)
        #expect(try row.timestamp(4) == time)
        #expect(try row.optionalText(5) == nil)
        #expect(row.isNull(5))
        #expect(try row.boolean(6))
        #expect(try row.boolean(7))
        #expect(try row.timestamp(8) == time)
        #expect(try row.textArray(9) == [])
        #expect(try row.integer(10) == -2)
        #expect(try row.text(11) == "x")
        #expect(try row.utf8(12) == Array(#"{"a": 1}"#.utf8))
        await pool.close()
    }

    @Test("refuses a field of another type, a null and a column that is not there")
    func wrongFields() async throws {
        let pool = try await makePool()
        let fields = Statement("fields", "SELECT 1::bigint, NULL::text")
        let row = try #require(try await pool.query(fields).first)
        #expect(throws: DatabaseError.self) { try row.text(0) }
        #expect(throws: DatabaseError.self) { try row.text(1) }
        #expect(throws: DatabaseError.self) { try row.integer(2) }
        #expect(throws: DatabaseError.self) { try row.integer(-1) }
        await pool.close()
    }

    @Test("returns ten thousand rows, and a row of eight megabytes")
    func large() async throws {
        let pool = try await makePool()
        let many = Statement(
            "many", "SELECT n, repeat('x', (n % 100)::int) FROM generate_series(1, $1::bigint) n")
        let rows = try await pool.query(many, [.integer(10_000)])
        #expect(rows.count == 10_000)
        for (index, row) in rows.enumerated() {
            #expect(try row.integer(0) == index + 1)
            #expect(try row.text(1).count == (index + 1) % 100)
        }
        let big = String(repeating: "0123456789abcdef", count: 1 << 19)
        #expect(try await pool.query(.echo, [.text(big)]).first?.text(0) == big)
        await pool.close()
    }

    @Test("says what failed without a value")
    func errors() async throws {
        let pool = try await makePool()
        let canary = "parameter-7f3a"
        let cast = Statement("cast", "SELECT $1::text::integer")
        let error = try #require(
            await databaseError { _ = try await pool.query(cast, [.text(canary)]) })
        #expect(error.kind == .statement("22P02"))
        #expect(!error.isOutcomeUnknown)
        #expect(!"\(error)".contains(canary))
        #expect(!error.debugDescription.contains(canary))
        #expect(error.debugDescription.contains("statement cast"))

        let wrong = Statement("wrong", "SELECT 1 / 0")
        let other = await databaseError { _ = try await pool.query(wrong) }
        #expect(other?.kind == .statement("22012"))
        // A schema that is not there yet is the operator's affair, and heals.
        let unknown = Statement("unknown", "SELECT * FROM nowhere")
        let early = await databaseError { _ = try await pool.query(unknown) }
        #expect(early?.kind == .unavailable && early?.sqlstate == "42P01")
        #expect(try await pool.query(.one).count == 1)
        await pool.close()
    }

    @Test("survives a change of the table that it reads")
    func stalePlan() async throws {
        let pool = try await makePool(size: 1)
        _ = try await pool.query(Statement("make", "CREATE TABLE t AS SELECT 1 AS a"))
        let read = Statement("read", "SELECT * FROM t")
        #expect(try await pool.query(read).first?.count == 1)
        _ = try await pool.query(Statement("widen", "ALTER TABLE t ADD COLUMN b text"))
        #expect(try await pool.query(read).first?.count == 2)
        await pool.close()
    }
}
