-- What the follower keeps behind the writer: every 64th entry of an account, where a search in time can begin.
--
-- The rows and the position up to which they are complete change in one transaction, so that a follower that
-- starts again neither misses a row nor writes one twice. It can all be dropped and made again from the journal.

CREATE TABLE read_models.follower (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    position bigint NOT NULL CHECK (position >= 0)
) WITH (fillfactor = 10);
INSERT INTO read_models.follower (position) VALUES (0);

CREATE TABLE read_models.entry_index (
    account uuid NOT NULL,
    timestamp bigint NOT NULL CHECK (timestamp > 0),
    position bigint NOT NULL CHECK (position > 0),
    PRIMARY KEY (account, timestamp, position)
);

DO $$
BEGIN
    IF journal.has_role('formicary_follower') THEN
        GRANT SELECT, UPDATE ON read_models.follower TO formicary_follower;
        GRANT SELECT, INSERT ON read_models.entry_index TO formicary_follower;
        GRANT SELECT ON read_models.follower, read_models.entry_index TO formicary_reader;
    END IF;
END
$$;
