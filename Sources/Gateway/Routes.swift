internal import HTTP

/// Every route that Archway serves. A route names its action or is `.open`; what is not listed here does not exist.
let routes = RouteTable(routes: [
    Route(.get, "/v1/models", .action(.models), Models.list),
    Route(.get, "/v1/models/{id}", .action(.models), takesRest: true, Models.get),
    Route(.post, "/v1/chat/completions", .action(.chat), ChatCompletions.create),
    Route(.get, "/v1/chat/completions", .action(.chat), StoredChatCompletions.list),
    Route(.get, "/v1/chat/completions/{id}", .action(.chat), StoredChatCompletions.get),
    Route(.post, "/v1/chat/completions/{id}", .action(.chat), StoredChatCompletions.change),
    Route(.delete, "/v1/chat/completions/{id}", .action(.chat), StoredChatCompletions.delete),
    Route(
        .get, "/v1/chat/completions/{id}/messages", .action(.chat), StoredChatCompletions.messages),
    Route(.post, "/v1/completions", .action(.chat), Completions.create),
    Route(.post, "/v1/embeddings", .action(.embeddings), Embeddings.create),

    Route(.get, "/api/users/me", .identity, OwnUser.get),
    Route(.get, "/api/users/me/api-token", .action(.tokens), OwnToken.get),
    Route(.post, "/api/users/me/api-token", .action(.tokens), OwnToken.mint),
    Route(.delete, "/api/users/me/api-token", .action(.tokens), OwnToken.revoke),

    Route(.get, "/api/admin/users", .action(.admin), AdminUsers.list),
    Route(.post, "/api/admin/users", .action(.admin), AdminUsers.create),
    Route(.get, "/api/admin/users/{id}", .action(.admin), AdminUsers.get),
    Route(.patch, "/api/admin/users/{id}", .action(.admin), AdminUsers.change),
    Route(.get, "/api/admin/users/{id}/api-tokens", .action(.admin), AdminTokens.list),
    Route(.post, "/api/admin/users/{id}/api-tokens", .action(.admin), AdminTokens.mint),
    Route(
        .delete, "/api/admin/users/{id}/api-tokens/{token}", .action(.admin), AdminTokens.revoke),

    Route(.get, "/health/live", .open, Health.live),
    Route(.get, "/health/ready", .open, Health.ready),
])
