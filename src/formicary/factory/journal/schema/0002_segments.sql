-- Segments: one partition of each journal table per `segment_positions` positions, named <table>_<number>.
--
-- They are created ahead of the writer and attached afterwards, which locks out no reader. The writer adds rows
-- to the partition by its name; so do readers: pruning a plan over many partitions costs more than the rows.
-- The segment being written has a BRIN index on the position only (a btree costs a third of the rate);
-- a full segment gets its btree, off the commit path.

CREATE FUNCTION journal.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% refused: what is in the journal is final', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

-- Rights are revoked as well; these triggers hold where rights do not, and cost nothing until they refuse.
CREATE TRIGGER rows_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.commits
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
CREATE TRIGGER rows_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.transfers
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
CREATE TRIGGER rows_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.accounts
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
CREATE TRIGGER rows_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.events
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();

-- The fence only ever goes forward.
CREATE TRIGGER fence_goes_forward BEFORE UPDATE ON journal.writer
    FOR EACH ROW WHEN (NEW.epoch < OLD.epoch OR NEW.position < OLD.position)
    EXECUTE FUNCTION journal.refuse_change();
CREATE TRIGGER fence_stays BEFORE DELETE OR TRUNCATE ON journal.writer
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();

CREATE FUNCTION journal.has_role(name text) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name) $$;

-- Rows can be added and read, not changed: not even by the owner, without granting itself the right first.
CREATE FUNCTION journal.protect(relation regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM CURRENT_USER', relation);
    IF journal.has_role('formicary_writer') THEN
        EXECUTE format('GRANT SELECT, INSERT ON %s TO formicary_writer', relation);
        EXECUTE format('GRANT SELECT ON %s TO formicary_reader, formicary_follower', relation);
    END IF;
END
$$;

CREATE FUNCTION journal.create_partition(parent text, number bigint, lower_bound bigint, upper_bound bigint)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    leaf text := parent || '_' || number;
BEGIN
    EXECUTE format(
        'CREATE TABLE journal.%I (LIKE journal.%I INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING STORAGE)',
        leaf, parent
    );
    -- Nothing dies in a partition, so vacuuming it before it is full is work for nothing.
    EXECUTE format('ALTER TABLE journal.%I SET (autovacuum_enabled = off)', leaf);
    EXECUTE format(
        'CREATE TRIGGER rows_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.%I'
        ' FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change()', leaf
    );
    CASE parent
        WHEN 'transfers' THEN
            EXECUTE format('CREATE INDEX %I ON journal.%I USING brin (position) WITH (pages_per_range = 128)',
                leaf || '_range', leaf);
        WHEN 'commits' THEN
            EXECUTE format('CREATE INDEX %I ON journal.%I USING brin (first) WITH (pages_per_range = 128)',
                leaf || '_range', leaf);
        ELSE
            EXECUTE format('CREATE UNIQUE INDEX %I ON journal.%I (position)', leaf || '_position', leaf);
    END CASE;
    IF parent = 'events' THEN
        -- The kind is in it so that nobody who asks for both goes through all events of a frequent kind.
        EXECUTE format(
            'CREATE INDEX %I ON journal.%I (command_id, kind)'
            ' WHERE command_id <> ''00000000-0000-0000-0000-000000000000''', leaf || '_command', leaf
        );
        EXECUTE format('CREATE INDEX %I ON journal.%I (kind, position)', leaf || '_kind', leaf);
    END IF;
    PERFORM journal.protect(format('journal.%I', leaf)::regclass);
    EXECUTE format(
        'ALTER TABLE journal.%I ATTACH PARTITION journal.%I FOR VALUES FROM (%s) TO (%s)',
        parent, leaf, lower_bound, upper_bound
    );
END
$$;

-- Creates the segments up to the one that holds `until`; returns the last position that has a place.
-- The writer may call it although it may not create tables: it can create nothing else.
CREATE FUNCTION journal.create_segments(until bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    here journal.layout;
    number bigint;
    parent text;
BEGIN
    -- The row lock keeps a second engine from creating the same segment.
    SELECT * INTO STRICT here FROM journal.layout FOR UPDATE;
    FOR number IN here.segments .. (until - 1) / here.segment_positions LOOP
        FOREACH parent IN ARRAY ARRAY['commits', 'transfers', 'accounts', 'events'] LOOP
            PERFORM journal.create_partition(
                parent, number,
                lower_bound => number * here.segment_positions + 1,
                upper_bound => (number + 1) * here.segment_positions + 1
            );
        END LOOP;
        UPDATE journal.layout SET segments = number + 1;
    END LOOP;
    RETURN (SELECT segments * segment_positions FROM journal.layout);
END
$$;

-- The numbers of the segments that are full and have no btree yet.
CREATE FUNCTION journal.segments_to_index() RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT number
    FROM journal.writer
    CROSS JOIN journal.layout
    CROSS JOIN LATERAL generate_series(0, position / segment_positions - 1) AS number
    WHERE to_regclass('journal.transfers_' || number) IS NOT NULL
        AND to_regclass('journal.commits_' || number || '_position') IS NULL
    ORDER BY number
$$;

-- Lets reads of a segment without a btree skip the pages that are not theirs. Returns the ranges it noted.
CREATE FUNCTION journal.summarize(number bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(sum(brin_summarize_new_values(index.oid)), 0)
    FROM (VALUES ('transfers'), ('commits')) AS parent (name)
    JOIN pg_class AS index ON index.relnamespace = 'journal'::regnamespace
        AND index.relname = parent.name || '_' || number || '_range'
    WHERE to_regclass('journal.commits_' || number || '_position') IS NULL
$$;

-- The same for the segment being written and the full ones that have no btree yet.
CREATE FUNCTION journal.summarize() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(sum(journal.summarize(number)), 0)
    FROM (
        SELECT (greatest(position, 1) - 1) / segment_positions FROM journal.writer CROSS JOIN journal.layout
        UNION
        SELECT journal.segments_to_index()
    ) AS open_segment (number)
$$;

-- Both btrees are unique: a second guard against a position written twice.
CREATE FUNCTION journal.index_segment(number bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE UNIQUE INDEX %I ON journal.%I (position)',
        'transfers_' || number || '_position', 'transfers_' || number);
    EXECUTE format('CREATE UNIQUE INDEX %I ON journal.%I (first)',
        'commits_' || number || '_position', 'commits_' || number);
END
$$;
