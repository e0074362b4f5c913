-- What was used and what was done. One partition a month, so that old months are dropped, not deleted
-- row by row. Rows of a month that nobody prepared go to the default partition. No foreign keys: these
-- rows outlive what they speak of.

CREATE TABLE usage (
    id                text NOT NULL,
    created_at        timestamptz NOT NULL,
    request_id        text NOT NULL,
    user_id           text,
    token_id          text,
    route             text NOT NULL,
    model             text,
    provider          text,
    provider_model    text,
    kind              text NOT NULL CHECK (kind IN ('request', 'side')),
    prompt_tokens     bigint NOT NULL DEFAULT 0,
    completion_tokens bigint NOT NULL DEFAULT 0,
    total_tokens      bigint NOT NULL DEFAULT 0,
    source            text NOT NULL CHECK (source IN ('provider', 'counted', 'estimated')),
    ended             text NOT NULL CHECK (ended IN ('completed', 'incomplete', 'failed')),
    status            integer NOT NULL,
    first_event_ms    integer,
    duration_ms       integer NOT NULL,
    PRIMARY KEY (created_at, id)
) PARTITION BY RANGE (created_at);

CREATE TABLE usage_default PARTITION OF usage DEFAULT;
CREATE INDEX usage_of_user ON usage (user_id, created_at);

CREATE TABLE audit (
    id         text NOT NULL,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    action     text NOT NULL,
    target     text,
    request_id text,
    details    json NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);

CREATE TABLE audit_default PARTITION OF audit DEFAULT;

-- Append only, for whoever forgets it; the worker's role lacks the right anyway.
CREATE FUNCTION archway_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('archway.moves_rows', true) = 'on' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    RAISE EXCEPTION 'audit rows are never changed' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW
    EXECUTE FUNCTION archway_refuse_change();

-- Prepares the month of `at` and `ahead` more. Re-runnable; rows of the default partition move in.
CREATE FUNCTION archway_prepare_months(at timestamptz, ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
DECLARE
    month timestamptz;
    parent text;
    clock text;
    child text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('archway_prepare_months'));
    -- Not in the function's head: only a superuser may put an unknown setting there.
    PERFORM set_config('archway.moves_rows', 'on', true);
    FOR step IN 0..least(greatest(ahead, 0), 120) LOOP
        month := date_trunc('month', at) + step * interval '1 month';
        FOREACH parent IN ARRAY ARRAY['usage', 'audit'] LOOP
            clock := CASE parent WHEN 'usage' THEN 'created_at' ELSE 'at' END;
            child := parent || to_char(month, '_YYYY_MM');
            CONTINUE WHEN to_regclass(quote_ident(child)) IS NOT NULL;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                child, parent);
            EXECUTE format(
                'WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) '
                || 'INSERT INTO %I SELECT * FROM moved',
                parent || '_default', clock, month, clock, month + interval '1 month', child);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, child, month, month + interval '1 month');
            made := made + 1;
        END LOOP;
    END LOOP;
    PERFORM set_config('archway.moves_rows', 'off', true);
    RETURN made;
END
$$;

-- Retention: drops the months that ended before `before`. `parent` is usage or audit.
CREATE FUNCTION archway_drop_months(parent text, before timestamptz) RETURNS integer
    LANGUAGE plpgsql SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
DECLARE
    child text;
    dropped integer := 0;
BEGIN
    IF parent NOT IN ('usage', 'audit') THEN
        RAISE EXCEPTION 'no such partitioned table' USING ERRCODE = 'undefined_table';
    END IF;
    FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(parent) AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'
            AND to_timestamp(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= before
    LOOP
        EXECUTE format('DROP TABLE %I', child);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
