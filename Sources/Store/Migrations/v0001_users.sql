-- Who may do something: people, and the API tokens that speak for them.

CREATE TABLE users (
    id          text PRIMARY KEY,
    -- Where the name comes from; the same name from two sources is two users.
    source      text NOT NULL CHECK (source IN ('local', 'web_server', 'front_end')),
    name        text NOT NULL CHECK (name <> ''),
    email       text,
    role        text NOT NULL,
    disabled_at timestamptz,
    created_at  timestamptz NOT NULL,
    UNIQUE (source, name)
);

CREATE INDEX users_by_age ON users (created_at, id);

CREATE TABLE api_tokens (
    id             text PRIMARY KEY,
    user_id        text NOT NULL REFERENCES users ON DELETE CASCADE,
    name           text NOT NULL,
    -- HMAC-SHA-256 under the pepper of this version; the token itself is stored nowhere.
    digest         bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    pepper_version integer NOT NULL,
    hint           text NOT NULL,
    scopes         text[] NOT NULL,
    -- null: every model that the user's role allows
    models         text[],
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz,
    last_used_at   timestamptz,
    revoked_at     timestamptz
);

CREATE INDEX api_tokens_of_user ON api_tokens (user_id, created_at);

-- Every worker remembers tokens for a while. What changes the meaning of a token is told to all of
-- them by the commit itself, also when somebody changes a row by hand.

CREATE FUNCTION archway_token_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('archway_tokens', encode(OLD.digest, 'hex'));
    RETURN NULL;
END
$$;

CREATE TRIGGER changed AFTER UPDATE ON api_tokens FOR EACH ROW
    WHEN ((OLD.user_id, OLD.digest, OLD.scopes, OLD.models, OLD.expires_at, OLD.revoked_at)
        IS DISTINCT FROM
        (NEW.user_id, NEW.digest, NEW.scopes, NEW.models, NEW.expires_at, NEW.revoked_at))
    EXECUTE FUNCTION archway_token_changed();

CREATE TRIGGER deleted AFTER DELETE ON api_tokens FOR EACH ROW
    EXECUTE FUNCTION archway_token_changed();

CREATE FUNCTION archway_user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('archway_tokens', 'user:' || OLD.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER changed AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.name, OLD.email, OLD.role, OLD.disabled_at)
        IS DISTINCT FROM (NEW.name, NEW.email, NEW.role, NEW.disabled_at))
    EXECUTE FUNCTION archway_user_changed();

CREATE TRIGGER deleted AFTER DELETE ON users FOR EACH ROW
    EXECUTE FUNCTION archway_user_changed();
