-- Chat completions that their owners asked to keep: what was asked and what was answered, to be read again.

CREATE TABLE stored_completions (
    id              text PRIMARY KEY,
    owner_id        text NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The conversation that has the same words as turns; its completions go with it.
    conversation_id text NOT NULL REFERENCES conversations ON DELETE CASCADE,
    created_at      timestamptz NOT NULL,
    -- As it was asked for.
    model           text NOT NULL,
    -- For filters; the reply has it as its owner spelled it.
    metadata        jsonb NOT NULL,
    -- The request's list of messages, verbatim JSON; text, since jsonb would change its spelling.
    messages        text NOT NULL,
    -- The reply's object, verbatim JSON.
    reply           text NOT NULL
);

CREATE INDEX stored_completions_by_age ON stored_completions (owner_id, created_at, id);
CREATE INDEX stored_completions_of_conversation ON stored_completions (conversation_id);
CREATE INDEX stored_completions_by_metadata ON stored_completions
    USING gin (metadata jsonb_path_ops);
