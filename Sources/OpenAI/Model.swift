package import JSON

/// An entry of `GET /v1/models`.
package struct Model: Sendable {
    /// What a request's `model` names.
    package var id: String
    /// Unix seconds; the same in every worker and after a restart.
    package var created: Int
    /// Who provides it.
    package var ownedBy: String
    /// For people; the id when nothing better is known.
    package var name: String

    /// An entry as given.
    package init(id: String, created: Int, ownedBy: String, name: String? = nil) {
        self.id = id
        self.created = created
        self.ownedBy = ownedBy
        self.name = name ?? id
    }

    /// The object of the wire.
    package var value: Value {
        [
            "id": .string(id),
            "object": "model",
            "created": .integer(created),
            "owned_by": .string(ownedBy),
            "name": .string(name),
        ]
    }

    /// The reply to `GET /v1/models/{id}`.
    package func body() -> [UInt8] { value.encoded() }
}

/// The reply to `GET /v1/models`.
package struct ModelList: Sendable {
    /// In the order of the configuration.
    package var models: [Model]

    /// A list as given.
    package init(_ models: [Model]) {
        self.models = models
    }

    /// The reply body, UTF-8 JSON.
    package func body() -> [UInt8] {
        Value.object([Member("object", "list"), Member("data", .array(models.map(\.value)))])
            .encoded()
    }
}
