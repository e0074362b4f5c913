import EventLoop

/// Something that many tests share: made when the first one asks for it.
@LoopActor final class Once<Value: Sendable> {
    private let make: @LoopActor @Sendable () async throws -> Value
    private var making: Task<Value, any Error>?

    nonisolated init(_ make: @escaping @LoopActor @Sendable () async throws -> Value) {
        self.make = make
    }

    var value: Value {
        get async throws {
            let making = making ?? Task { @LoopActor [make] in try await make() }
            self.making = making
            return try await making.value
        }
    }
}
