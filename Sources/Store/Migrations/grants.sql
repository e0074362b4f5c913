-- Rights of the role that workers sign in with, if there is one. Runs after every migration; without
-- the role, whoever migrates also serves.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'archway_worker') THEN
        RETURN;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO archway_worker', current_schema());
    GRANT SELECT ON migrations TO archway_worker;
    GRANT SELECT, INSERT, UPDATE, DELETE
        ON users, api_tokens, conversations, turns, stored_completions, idempotency_keys,
            collections, documents, passages
        TO archway_worker;
    GRANT SELECT, INSERT ON usage TO archway_worker;
    REVOKE ALL ON audit FROM archway_worker;
    GRANT INSERT ON audit TO archway_worker;
    GRANT EXECUTE ON FUNCTION archway_prepare_months(timestamptz, integer) TO archway_worker;
END
$$;
