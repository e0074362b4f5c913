-- What may be quoted: collections of documents, cut into passages.

CREATE TABLE collections (
    id         text PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (name <> ''),
    -- The name of a text search configuration. Not regconfig: pg_upgrade refuses such columns.
    language   text NOT NULL DEFAULT 'english',
    created_at timestamptz NOT NULL
);

CREATE TABLE documents (
    id            text PRIMARY KEY,
    collection_id text NOT NULL REFERENCES collections ON DELETE CASCADE,
    -- Path or URL.
    source        text NOT NULL CHECK (source <> ''),
    title         text NOT NULL,
    -- SHA-256 of the file.
    digest        bytea NOT NULL CHECK (octet_length(digest) = 32),
    bytes         bigint NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    UNIQUE (collection_id, source)
);

-- A cast from text to regconfig is not immutable, since configurations can be renamed. Ours are not.
CREATE FUNCTION archway_search_vector(language text, heading text, body text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN setweight(to_tsvector(language::regconfig, heading), 'A')
        || setweight(to_tsvector(language::regconfig, body), 'D');
END
$$;

-- The lexemes of a text, in no order, stop words left out.
CREATE FUNCTION archway_lexemes(language text, body text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN tsvector_to_array(to_tsvector(language::regconfig, body));
END
$$;

-- Exactly this lexeme, whatever characters it has.
CREATE FUNCTION archway_exact_query(lexeme text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery
$$;

CREATE TABLE passages (
    id          text PRIMARY KEY,
    document_id text NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal     integer NOT NULL,
    -- The path of headings above it.
    heading     text NOT NULL,
    body        text NOT NULL,
    -- Characters of the document's text, end excluded.
    span_start  integer NOT NULL,
    span_end    integer NOT NULL CHECK (span_end >= span_start),
    page        integer,
    language    text NOT NULL,
    search      tsvector NOT NULL
        GENERATED ALWAYS AS (archway_search_vector(language, heading, body)) STORED,
    UNIQUE (document_id, ordinal)
);

CREATE INDEX passages_by_word ON passages USING gin (search);
