-- What was said. A conversation is a tree: each turn knows the hash of the history before it.

CREATE TABLE conversations (
    id          text PRIMARY KEY,
    owner_id    text NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The front end's name for it; null for one that only we name.
    external_id text CHECK (length(external_id) BETWEEN 1 AND 200),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    UNIQUE (owner_id, external_id)
);

CREATE INDEX conversations_by_use ON conversations (owner_id, updated_at, id);

CREATE TABLE turns (
    id              text PRIMARY KEY,
    conversation_id text NOT NULL REFERENCES conversations ON DELETE CASCADE,
    -- Hash of the history up to and without this turn; null for the first one.
    parent_hash     bytea,
    -- Hash of the history with this turn; null while it is being written.
    hash            bytea,
    -- Messages before it on its branch.
    position        integer NOT NULL,
    role            text NOT NULL,
    -- The message object, verbatim JSON; text, since jsonb would change its spelling.
    content         text NOT NULL,
    status          text NOT NULL
        CHECK (status IN ('in_progress', 'completed', 'incomplete', 'failed')),
    model           text,
    request_id      text,
    -- Who writes it; when that worker dies its turns become incomplete.
    worker          text,
    created_at      timestamptz NOT NULL,
    completed_at    timestamptz,
    CHECK (status <> 'completed' OR hash IS NOT NULL)
);

-- A retried or raced request stores no turn twice.
CREATE UNIQUE INDEX turns_once ON turns (conversation_id, hash) WHERE hash IS NOT NULL;
CREATE INDEX turns_in_order ON turns (conversation_id, position, created_at);
CREATE INDEX turns_in_progress ON turns (worker) WHERE status = 'in_progress';
