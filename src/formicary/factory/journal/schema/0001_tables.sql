-- The journal: one totally ordered position (1, 2, 3, ... without a gap) over three tables, a side table of
-- commits, and the row by which one writer keeps all others out.
--
-- Absent values are zero, never NULL; 128-bit ids are uuid; unsigned words are stored as the signed word of the
-- same bits (the views show them unsigned). Times are nanoseconds since the Unix epoch, amounts minor units.
-- No table has an index here: each segment gets its own, see 0002_segments.sql.

CREATE TABLE journal.layout (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    -- Positions in one partition; fixed when the journal is created.
    segment_positions bigint NOT NULL CHECK (segment_positions > 0),
    -- Segments created so far; their numbers count from 0.
    segments bigint NOT NULL DEFAULT 0 CHECK (segments >= 0)
);

-- The fence. An append moves `position` only where it finds its own epoch; a take-over adds one to `epoch`.
-- Room in the page keeps the many updates of the one row within it.
CREATE TABLE journal.writer (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    epoch bigint NOT NULL CHECK (epoch >= 0),
    position bigint NOT NULL CHECK (position >= 0)
) WITH (fillfactor = 10);

-- Wall time and groups are outside every hash: they differ between two runs of the same commands.
CREATE TABLE journal.commits (
    first bigint NOT NULL CHECK (first > 0),
    last bigint NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    wall_time bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint,
    state_hash bigint NOT NULL,
    requests integer NOT NULL CHECK (requests >= 0),
    CONSTRAINT commit_is_not_empty CHECK (last >= first)
) PARTITION BY RANGE (first);

CREATE TABLE journal.transfers (
    position bigint NOT NULL,
    timestamp bigint NOT NULL,
    id uuid NOT NULL,
    debit_account_id uuid NOT NULL,
    credit_account_id uuid NOT NULL,
    amount bigint NOT NULL,
    ledger integer NOT NULL,
    code smallint NOT NULL,
    flags smallint NOT NULL,
    request integer NOT NULL,
    -- 0 created, 101 a hold that expired; anything else is a refusal that burnt the id.
    status smallint NOT NULL,
    -- previous_debit, previous_credit (positions of the accounts' entries before this one), then the debit
    -- account's and the credit account's debits_pending, debits_posted, credits_pending, credits_posted after it:
    -- ten big-endian int8. One column, since a COPY pays for each.
    after bytea NOT NULL,
    -- Big-endian: pending_id, user_data_128 (16 bytes each), user_data_64 (8), user_data_32, timeout (4 each);
    -- or empty, where all are zero.
    rare bytea NOT NULL,
    -- What costs a COPY much is left to the fold, which compares every word of every row: see ADR 2. That the
    -- position is positive is said by the partitions' bounds.
    CONSTRAINT timestamp_is_positive CHECK (timestamp > 0),
    CONSTRAINT amount_is_not_negative CHECK (amount >= 0),
    CONSTRAINT after_is_ten_words CHECK (octet_length(after) = 80),
    CONSTRAINT rare_is_empty_or_whole CHECK (octet_length(rare) = 0 OR octet_length(rare) = 48),
    CONSTRAINT entry_has_two_accounts CHECK (
        (status <> 0 AND status <> 101) OR debit_account_id <> credit_account_id
    ),
    CONSTRAINT created_has_id_ledger_and_code CHECK (
        status <> 0 OR (id <> '00000000-0000-0000-0000-000000000000' AND ledger <> 0 AND code <> 0)
    )
) PARTITION BY RANGE (position);

ALTER TABLE journal.transfers ALTER COLUMN after SET STORAGE PLAIN, ALTER COLUMN rare SET STORAGE PLAIN;

CREATE TABLE journal.accounts (
    position bigint NOT NULL,
    timestamp bigint NOT NULL,
    id uuid NOT NULL,
    user_data_128 uuid NOT NULL,
    user_data_64 bigint NOT NULL,
    credit_limit bigint NOT NULL,
    user_data_32 integer NOT NULL,
    ledger integer NOT NULL,
    code smallint NOT NULL,
    flags smallint NOT NULL,
    request integer NOT NULL,
    CONSTRAINT position_is_positive CHECK (position > 0),
    CONSTRAINT timestamp_is_positive CHECK (timestamp > 0),
    CONSTRAINT credit_limit_is_not_negative CHECK (credit_limit >= 0),
    CONSTRAINT id_is_not_zero_or_max CHECK (
        id NOT IN ('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    ),
    CONSTRAINT ledger_and_code_are_not_zero CHECK (ledger <> 0 AND code <> 0)
) PARTITION BY RANGE (position);

CREATE TABLE journal.events (
    position bigint NOT NULL,
    timestamp bigint NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    command_id uuid NOT NULL,
    subject uuid NOT NULL,
    body jsonb NOT NULL,
    CONSTRAINT position_is_positive CHECK (position > 0),
    CONSTRAINT timestamp_is_not_negative CHECK (timestamp >= 0),
    CONSTRAINT kind_is_named CHECK (kind <> ''),
    CONSTRAINT version_is_positive CHECK (version > 0),
    CONSTRAINT body_is_an_object CHECK (jsonb_typeof(body) = 'object')
) PARTITION BY RANGE (position);

INSERT INTO journal.layout (segment_positions) VALUES (current_setting('formicary.segment_positions')::bigint);
INSERT INTO journal.writer (epoch, position) VALUES (0, 0);
