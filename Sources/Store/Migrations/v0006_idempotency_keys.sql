-- Requests that their callers named, so that each has its effect once: who has the key, and later the reply.

CREATE TABLE idempotency_keys (
    owner_id    text NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The API token that the request came with; empty where somebody else vouched for the owner.
    token_id    text NOT NULL,
    key         text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- SHA-256 of method, path, query and body.
    fingerprint bytea NOT NULL,
    -- The request that has the key. Only it may end or free it.
    claim_id    text NOT NULL,
    -- Who runs it; when that worker dies its keys are free.
    worker      text NOT NULL,
    -- Then the row means nothing. A request that runs puts it off, so that the key of a host that died becomes free.
    expires_at  timestamptz NOT NULL,
    -- The reply; its status is null while the request runs.
    status      integer,
    -- Names and values in turn.
    fields      text[],
    -- Null for a reply that is not kept: a large one, or one with a secret.
    body        bytea,
    PRIMARY KEY (owner_id, token_id, key),
    CHECK (status IS NOT NULL OR (fields IS NULL AND body IS NULL))
);

CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
CREATE INDEX idempotency_keys_running ON idempotency_keys (worker) WHERE status IS NULL;
