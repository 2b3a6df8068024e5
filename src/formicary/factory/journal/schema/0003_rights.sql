-- Who may do what. Without the roles (a hosted database that gives us one login) the owner's own rights are
-- revoked and the triggers stand; see journal.protect.

CREATE SCHEMA read_models;

SELECT journal.protect(name::regclass)
FROM unnest(ARRAY['journal.commits', 'journal.transfers', 'journal.accounts', 'journal.events']) AS name;

REVOKE DELETE, TRUNCATE ON journal.writer, journal.layout FROM CURRENT_USER;
REVOKE ALL ON FUNCTION journal.create_segments(bigint), journal.summarize(bigint), journal.summarize()
    FROM PUBLIC;

DO $$
BEGIN
    IF NOT journal.has_role('formicary_writer') THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA journal TO formicary_writer, formicary_follower, formicary_reader;
    GRANT USAGE ON SCHEMA read_models TO formicary_reader;
    GRANT USAGE, CREATE ON SCHEMA read_models TO formicary_follower;
    GRANT SELECT ON journal.migrations, journal.layout, journal.writer
        TO formicary_writer, formicary_follower, formicary_reader;
    GRANT UPDATE ON journal.writer TO formicary_writer;
    GRANT EXECUTE ON FUNCTION journal.create_segments(bigint) TO formicary_writer;
    GRANT EXECUTE ON FUNCTION journal.summarize(bigint), journal.summarize()
        TO formicary_writer, formicary_follower, formicary_reader;
END
$$;
