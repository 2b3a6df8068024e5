-- Decisions: a fourth table that shares the positions. A decision at one position is about the transfer at the next.
--
-- They are as many as what is decided, so they are kept as transfers are: few columns, BRIN on the open segment.

CREATE TABLE journal.decisions (
    position bigint NOT NULL,
    timestamp bigint NOT NULL,
    point bigint NOT NULL,
    policy integer NOT NULL,
    outcome smallint NOT NULL,
    effect smallint NOT NULL,
    path smallint NOT NULL,
    -- Big-endian: model_0 to model_3, rules_true, rules_unknown (8 bytes each), propensity, score_0 to score_3
    -- (float8), withheld (4), cap, features, reason_0 to reason_3, reserved (2 each), also_reserved (4).
    record bytea NOT NULL,
    -- 32 big-endian float8, NaN where missing.
    values bytea NOT NULL,
    -- Another 32, or empty, where all are zero.
    more_values bytea NOT NULL,
    CONSTRAINT timestamp_is_positive CHECK (timestamp > 0),
    CONSTRAINT record_is_whole CHECK (octet_length(record) = 110),
    CONSTRAINT values_are_32_words CHECK (octet_length(values) = 256),
    CONSTRAINT more_values_are_empty_or_whole CHECK (
        octet_length(more_values) = 0 OR octet_length(more_values) = 256
    )
) PARTITION BY RANGE (position);

ALTER TABLE journal.decisions
    ALTER COLUMN record SET STORAGE PLAIN,
    ALTER COLUMN values SET STORAGE PLAIN,
    ALTER COLUMN more_values SET STORAGE PLAIN;

CREATE TRIGGER rows_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.decisions
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
SELECT journal.protect('journal.decisions');

-- Segments: the functions of 0002_segments.sql with one table more.

CREATE OR REPLACE FUNCTION journal.create_partition(
    parent text, number bigint, lower_bound bigint, upper_bound bigint
)
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
    CASE
        WHEN parent IN ('transfers', 'decisions') THEN
            EXECUTE format('CREATE INDEX %I ON journal.%I USING brin (position) WITH (pages_per_range = 128)',
                leaf || '_range', leaf);
        WHEN parent = 'commits' THEN
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

CREATE OR REPLACE FUNCTION journal.create_segments(until bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    here journal.layout;
    number bigint;
    parent text;
BEGIN
    -- The row lock keeps a second engine from creating the same segment.
    SELECT * INTO STRICT here FROM journal.layout FOR UPDATE;
    FOR number IN here.segments .. (until - 1) / here.segment_positions LOOP
        FOREACH parent IN ARRAY ARRAY['commits', 'transfers', 'decisions', 'accounts', 'events'] LOOP
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

CREATE OR REPLACE FUNCTION journal.summarize(number bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(sum(brin_summarize_new_values(index.oid)), 0)
    FROM (VALUES ('transfers'), ('decisions'), ('commits')) AS parent (name)
    JOIN pg_class AS index ON index.relnamespace = 'journal'::regnamespace
        AND index.relname = parent.name || '_' || number || '_range'
    WHERE to_regclass('journal.commits_' || number || '_position') IS NULL
$$;

-- All three btrees are unique: a second guard against a position written twice.
CREATE OR REPLACE FUNCTION journal.index_segment(number bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE UNIQUE INDEX %I ON journal.%I (position)',
        'transfers_' || number || '_position', 'transfers_' || number);
    EXECUTE format('CREATE UNIQUE INDEX %I ON journal.%I (position)',
        'decisions_' || number || '_position', 'decisions_' || number);
    EXECUTE format('CREATE UNIQUE INDEX %I ON journal.%I (first)',
        'commits_' || number || '_position', 'commits_' || number);
END
$$;

-- Every segment there is gets its partition, which stays empty where the segment is full: with a btree where the
-- other tables have theirs, and out of the partitioned table where they have left it.
DO $$
DECLARE
    here journal.layout;
    number bigint;
BEGIN
    SELECT * INTO STRICT here FROM journal.layout FOR UPDATE;
    FOR number IN 0 .. here.segments - 1 LOOP
        PERFORM journal.create_partition(
            'decisions', number,
            lower_bound => number * here.segment_positions + 1,
            upper_bound => (number + 1) * here.segment_positions + 1
        );
        IF to_regclass('journal.commits_' || number || '_position') IS NOT NULL THEN
            EXECUTE format('CREATE UNIQUE INDEX %I ON journal.%I (position)',
                'decisions_' || number || '_position', 'decisions_' || number);
        END IF;
        IF NOT EXISTS (
            SELECT FROM pg_catalog.pg_inherits
            WHERE inhparent = 'journal.transfers'::regclass
                AND inhrelid = to_regclass('journal.transfers_' || number)
        ) THEN
            EXECUTE format('ALTER TABLE journal.decisions DETACH PARTITION journal.%I', 'decisions_' || number);
        END IF;
    END LOOP;
END
$$;

-- For people, as in 0004_views.sql.

CREATE FUNCTION journal.quarter_word_at(words bytea, place integer) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT get_byte(words, place * 2) << 8 | get_byte(words, place * 2 + 1) $$;

-- The binary64 number whose bits are the word at `place`, exactly: every step is a product with a power of two.
CREATE FUNCTION journal.double_at(words bytea, place integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN exponent < 2047 THEN sign * (
            least(exponent, 1) + fraction::double precision / 4503599627370496
        ) * power(2::double precision, greatest(exponent, 1) - 1023)
        WHEN fraction = 0 THEN sign * 'Infinity'::double precision
        ELSE 'NaN'::double precision
    END
    FROM journal.word_at(words, place) AS word
    CROSS JOIN LATERAL (VALUES (
        CASE WHEN word < 0 THEN -1 ELSE 1 END::double precision, (word >> 52) & 2047, word & 4503599627370495
    )) AS part (sign, exponent, fraction)
$$;

-- What a decision says of a transfer, beside what the ledger says.
CREATE OR REPLACE FUNCTION journal.transfer_flag_names(flags smallint) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(name ORDER BY bit), '{}')
    FROM unnest(ARRAY[
        'linked', 'pending', 'post_pending_transfer', 'void_pending_transfer', 'balancing_debit',
        'balancing_credit', 'closing_debit', 'closing_credit', 'imported', 'held'
    ]) WITH ORDINALITY AS flag (name, bit)
    WHERE flags::integer & (1 << (bit::integer - 1)) <> 0
$$;

-- The names that the ledger gives stay where they are, under a name of their own.
DO $$
BEGIN
    EXECUTE replace(
        pg_catalog.pg_get_functiondef('journal.transfer_status_name(smallint)'::regprocedure),
        'transfer_status_name', 'ledger_status_name'
    );
END
$$;

CREATE OR REPLACE FUNCTION journal.transfer_status_name(status smallint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE status
        WHEN 102 THEN 'held'
        WHEN 103 THEN 'step_up_required'
        WHEN 104 THEN 'declined'
        ELSE journal.ledger_status_name(status)
    END
$$;

-- A model is shown by the first digits of its hash, and its score only where there is one; of what was read, what
-- was missing is NULL. The transfer is NULL where its segment was detached.
CREATE VIEW journal.v_decisions AS
SELECT
    decisions.position,
    journal.at(decisions.timestamp) AS at,
    decisions.timestamp,
    journal.unsigned(decisions.point) AS point,
    journal.unsigned(decisions.policy) AS policy,
    journal.unsigned(decisions.outcome) AS outcome,
    journal.unsigned(decisions.effect) AS effect,
    decisions.path::integer::bit(16) AS path,
    journal.word_at(decisions.record, 4)::bit(64) AS rules_true,
    journal.word_at(decisions.record, 5)::bit(64) AS rules_unknown,
    journal.double_at(decisions.record, 6) AS propensity,
    scored.models,
    scored.scores,
    ARRAY[
        journal.quarter_word_at(decisions.record, 48), journal.quarter_word_at(decisions.record, 49),
        journal.quarter_word_at(decisions.record, 50), journal.quarter_word_at(decisions.record, 51)
    ] AS reasons,
    journal.quarter_word_at(decisions.record, 46) AS cap,
    journal.unsigned(journal.half_word_at(decisions.record, 22)) AS withheld,
    known.features,
    transfers.id AS transfer_id,
    transfers.debit_account_id,
    transfers.credit_account_id,
    transfers.amount,
    journal.unsigned(transfers.ledger) AS ledger,
    journal.unsigned(transfers.code) AS code,
    journal.transfer_status_name(transfers.status) AS status
FROM journal.decisions
LEFT JOIN journal.transfers ON transfers.position = decisions.position + 1
CROSS JOIN LATERAL (
    SELECT
        array_agg(CASE WHEN model <> 0 THEN lpad(to_hex(model), 16, '0') END ORDER BY place) AS models,
        array_agg(CASE WHEN model <> 0 THEN journal.double_at(decisions.record, 7 + place) END ORDER BY place)
            AS scores
    FROM generate_series(0, 3) AS place
    CROSS JOIN LATERAL journal.word_at(decisions.record, place) AS model
) AS scored
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(nullif(value, 'NaN') ORDER BY place), '{}') AS features
    FROM generate_series(0, least(journal.quarter_word_at(decisions.record, 47), 64) - 1) AS place
    CROSS JOIN LATERAL journal.double_at(decisions.values || decisions.more_values, place) AS value
) AS known;

DO $$
BEGIN
    IF journal.has_role('formicary_reader') THEN
        GRANT SELECT ON journal.v_decisions TO formicary_writer, formicary_follower, formicary_reader;
    END IF;
END
$$;
