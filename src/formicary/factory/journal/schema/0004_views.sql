-- For people: the journal with unsigned words, decoded totals, names for numbers and readable times.
-- Every view and function here can be dropped and made anew; nothing in the engine reads them.

CREATE FUNCTION journal.unsigned(word bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE WHEN word < 0 THEN word + 18446744073709551616 ELSE word END $$;

CREATE FUNCTION journal.unsigned(word integer) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT word::bigint & 4294967295 $$;

CREATE FUNCTION journal.unsigned(word smallint) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT word::integer & 65535 $$;

-- Whole microseconds: that is what a timestamptz holds.
CREATE FUNCTION journal.at(nanoseconds bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT 'epoch'::timestamptz + (nanoseconds / 1000) * interval '1 microsecond' $$;

CREATE FUNCTION journal.nanoseconds(at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT (extract(epoch FROM at) * 1000000000)::bigint $$;

-- The big-endian word, half word or id at `place`, counted from 0 in its own width; zero where nothing is stored.
CREATE FUNCTION journal.word_at(words bytea, place integer) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT ('x' || encode(substring(words FROM place * 8 + 1 FOR 8), 'hex'))::bit(64)::bigint $$;

CREATE FUNCTION journal.half_word_at(words bytea, place integer) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT ('x' || encode(substring(words FROM place * 4 + 1 FOR 4), 'hex'))::bit(32)::integer $$;

CREATE FUNCTION journal.id_at(words bytea, place integer) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT rpad(encode(substring(words FROM place * 16 + 1 FOR 16), 'hex'), 32, '0')::uuid $$;

CREATE FUNCTION journal.transfer_flag_names(flags smallint) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(name ORDER BY bit), '{}')
    FROM unnest(ARRAY[
        'linked', 'pending', 'post_pending_transfer', 'void_pending_transfer', 'balancing_debit',
        'balancing_credit', 'closing_debit', 'closing_credit', 'imported'
    ]) WITH ORDINALITY AS flag (name, bit)
    WHERE flags::integer & (1 << (bit::integer - 1)) <> 0
$$;

CREATE FUNCTION journal.account_flag_names(flags smallint) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(name ORDER BY bit), '{}')
    FROM unnest(ARRAY[
        'linked', 'debits_must_not_exceed_credits', 'credits_must_not_exceed_debits', 'history', 'imported',
        'closed'
    ]) WITH ORDINALITY AS flag (name, bit)
    WHERE flags::integer & (1 << (bit::integer - 1)) <> 0
$$;

CREATE FUNCTION journal.transfer_status_name(status smallint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE status
        WHEN 0 THEN 'created'
        WHEN 1 THEN 'linked_event_failed'
        WHEN 2 THEN 'linked_event_chain_open'
        WHEN 3 THEN 'timestamp_must_be_zero'
        WHEN 4 THEN 'reserved_flag'
        WHEN 5 THEN 'id_must_not_be_zero'
        WHEN 6 THEN 'id_must_not_be_int_max'
        WHEN 7 THEN 'flags_are_mutually_exclusive'
        WHEN 8 THEN 'debit_account_id_must_not_be_zero'
        WHEN 9 THEN 'debit_account_id_must_not_be_int_max'
        WHEN 10 THEN 'credit_account_id_must_not_be_zero'
        WHEN 11 THEN 'credit_account_id_must_not_be_int_max'
        WHEN 12 THEN 'accounts_must_be_different'
        WHEN 13 THEN 'pending_id_must_be_zero'
        WHEN 14 THEN 'pending_id_must_not_be_zero'
        WHEN 15 THEN 'pending_id_must_not_be_int_max'
        WHEN 16 THEN 'pending_id_must_be_different'
        WHEN 17 THEN 'timeout_reserved_for_pending_transfer'
        WHEN 19 THEN 'ledger_must_not_be_zero'
        WHEN 20 THEN 'code_must_not_be_zero'
        WHEN 21 THEN 'debit_account_not_found'
        WHEN 22 THEN 'credit_account_not_found'
        WHEN 23 THEN 'accounts_must_have_the_same_ledger'
        WHEN 24 THEN 'transfer_must_have_the_same_ledger_as_accounts'
        WHEN 25 THEN 'pending_transfer_not_found'
        WHEN 26 THEN 'pending_transfer_not_pending'
        WHEN 27 THEN 'pending_transfer_has_different_debit_account_id'
        WHEN 28 THEN 'pending_transfer_has_different_credit_account_id'
        WHEN 29 THEN 'pending_transfer_has_different_ledger'
        WHEN 30 THEN 'pending_transfer_has_different_code'
        WHEN 31 THEN 'exceeds_pending_transfer_amount'
        WHEN 32 THEN 'pending_transfer_has_different_amount'
        WHEN 33 THEN 'pending_transfer_already_posted'
        WHEN 34 THEN 'pending_transfer_already_voided'
        WHEN 35 THEN 'pending_transfer_expired'
        WHEN 36 THEN 'exists_with_different_flags'
        WHEN 37 THEN 'exists_with_different_debit_account_id'
        WHEN 38 THEN 'exists_with_different_credit_account_id'
        WHEN 39 THEN 'exists_with_different_amount'
        WHEN 40 THEN 'exists_with_different_pending_id'
        WHEN 41 THEN 'exists_with_different_user_data_128'
        WHEN 42 THEN 'exists_with_different_user_data_64'
        WHEN 43 THEN 'exists_with_different_user_data_32'
        WHEN 44 THEN 'exists_with_different_timeout'
        WHEN 45 THEN 'exists_with_different_code'
        WHEN 46 THEN 'exists'
        WHEN 47 THEN 'overflows_debits_pending'
        WHEN 48 THEN 'overflows_credits_pending'
        WHEN 49 THEN 'overflows_debits_posted'
        WHEN 50 THEN 'overflows_credits_posted'
        WHEN 51 THEN 'overflows_debits'
        WHEN 52 THEN 'overflows_credits'
        WHEN 53 THEN 'overflows_timeout'
        WHEN 54 THEN 'exceeds_credits'
        WHEN 55 THEN 'exceeds_debits'
        WHEN 56 THEN 'imported_event_expected'
        WHEN 57 THEN 'imported_event_not_expected'
        WHEN 58 THEN 'imported_event_timestamp_out_of_range'
        WHEN 59 THEN 'imported_event_timestamp_must_not_advance'
        WHEN 60 THEN 'imported_event_timestamp_must_not_regress'
        WHEN 61 THEN 'imported_event_timestamp_must_postdate_debit_account'
        WHEN 62 THEN 'imported_event_timestamp_must_postdate_credit_account'
        WHEN 63 THEN 'imported_event_timeout_must_be_zero'
        WHEN 64 THEN 'closing_transfer_must_be_pending'
        WHEN 65 THEN 'debit_account_already_closed'
        WHEN 66 THEN 'credit_account_already_closed'
        WHEN 67 THEN 'exists_with_different_ledger'
        WHEN 68 THEN 'id_already_failed'
        WHEN 100 THEN 'amount_must_not_be_negative'
        WHEN 101 THEN 'expired'
    END
$$;

CREATE VIEW journal.v_accounts AS
SELECT
    position,
    journal.at(timestamp) AS at,
    timestamp,
    id,
    journal.unsigned(ledger) AS ledger,
    journal.unsigned(code) AS code,
    journal.account_flag_names(flags) AS flags,
    credit_limit,
    user_data_128,
    journal.unsigned(user_data_64) AS user_data_64,
    journal.unsigned(user_data_32) AS user_data_32
FROM journal.accounts;

CREATE VIEW journal.v_transfers AS
SELECT
    position,
    journal.at(timestamp) AS at,
    timestamp,
    journal.transfer_status_name(status) AS status,
    id,
    debit_account_id,
    credit_account_id,
    amount,
    journal.id_at(rare, 0) AS pending_id,
    journal.unsigned(ledger) AS ledger,
    journal.unsigned(code) AS code,
    journal.transfer_flag_names(flags) AS flags,
    journal.unsigned(journal.half_word_at(rare, 11)) AS timeout,
    journal.id_at(rare, 1) AS user_data_128,
    journal.unsigned(journal.word_at(rare, 4)) AS user_data_64,
    journal.unsigned(journal.half_word_at(rare, 10)) AS user_data_32,
    journal.unsigned(request) AS request,
    journal.word_at(after, 0) AS previous_debit,
    journal.word_at(after, 1) AS previous_credit,
    journal.word_at(after, 2) AS debit_debits_pending,
    journal.word_at(after, 3) AS debit_debits_posted,
    journal.word_at(after, 4) AS debit_credits_pending,
    journal.word_at(after, 5) AS debit_credits_posted,
    journal.word_at(after, 6) AS credit_debits_pending,
    journal.word_at(after, 7) AS credit_debits_posted,
    journal.word_at(after, 8) AS credit_credits_pending,
    journal.word_at(after, 9) AS credit_credits_posted
FROM journal.transfers;

-- One row per account and transfer that moved something (created, or a hold that expired), with the account's
-- totals after it.
CREATE VIEW journal.v_entries AS
SELECT
    side.account_id,
    transfers.position,
    journal.at(transfers.timestamp) AS at,
    transfers.timestamp,
    side.name AS side,
    transfers.id AS transfer_id,
    side.other_account_id,
    transfers.amount,
    journal.unsigned(transfers.ledger) AS ledger,
    journal.unsigned(transfers.code) AS code,
    journal.transfer_flag_names(transfers.flags) AS flags,
    journal.transfer_status_name(transfers.status) AS status,
    journal.word_at(transfers.after, side.previous) AS previous_position,
    journal.word_at(transfers.after, side.totals) AS debits_pending,
    journal.word_at(transfers.after, side.totals + 1) AS debits_posted,
    journal.word_at(transfers.after, side.totals + 2) AS credits_pending,
    journal.word_at(transfers.after, side.totals + 3) AS credits_posted
FROM journal.transfers
CROSS JOIN LATERAL (VALUES
    ('debit', debit_account_id, credit_account_id, 0, 2),
    ('credit', credit_account_id, debit_account_id, 1, 6)
) AS side (name, account_id, other_account_id, previous, totals)
WHERE transfers.status IN (0, 101);

CREATE VIEW journal.v_events AS
SELECT position, journal.at(timestamp) AS at, timestamp, kind, version, command_id, subject, body
FROM journal.events;

CREATE VIEW journal.v_commits AS
SELECT first, last, epoch, journal.at(wall_time) AS wall_time, requests, journal.unsigned(state_hash) AS state_hash
FROM journal.commits;

-- The totals of an account after the last entry up to and including `nanoseconds`; all zero before the first.
-- For people: it searches segment by segment from the newest, since there is no index on accounts.
CREATE FUNCTION journal.balance_as_of(
    account uuid, nanoseconds bigint,
    OUT "position" bigint, OUT "timestamp" bigint,
    OUT debits_pending bigint, OUT debits_posted bigint, OUT credits_pending bigint, OUT credits_posted bigint
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    number bigint;
    found_entry journal.transfers;
    totals integer;
BEGIN
    FOR number IN
        SELECT substring(inhrelid::regclass::text FROM '[0-9]+$')::bigint
        FROM pg_catalog.pg_inherits WHERE inhparent = 'journal.transfers'::regclass ORDER BY 1 DESC
    LOOP
        EXECUTE format(
            'SELECT * FROM journal.%I AS entry'
            ' WHERE $1 IN (debit_account_id, credit_account_id) AND timestamp <= $2 AND status IN (0, 101)'
            ' ORDER BY entry.position DESC LIMIT 1', 'transfers_' || number
        ) INTO found_entry USING account, nanoseconds;
        EXIT WHEN found_entry.position IS NOT NULL;
    END LOOP;
    totals := CASE WHEN found_entry.debit_account_id = account THEN 2 ELSE 6 END;
    "position" := coalesce(found_entry.position, 0);
    "timestamp" := coalesce(found_entry.timestamp, 0);
    debits_pending := coalesce(journal.word_at(found_entry.after, totals), 0);
    debits_posted := coalesce(journal.word_at(found_entry.after, totals + 1), 0);
    credits_pending := coalesce(journal.word_at(found_entry.after, totals + 2), 0);
    credits_posted := coalesce(journal.word_at(found_entry.after, totals + 3), 0);
END
$$;

CREATE FUNCTION journal.balance_as_of(
    account uuid, at timestamptz,
    OUT "position" bigint, OUT "timestamp" bigint,
    OUT debits_pending bigint, OUT debits_posted bigint, OUT credits_pending bigint, OUT credits_posted bigint
)
LANGUAGE sql STABLE AS $$ SELECT * FROM journal.balance_as_of(account, journal.nanoseconds(at)) $$;

DO $$
BEGIN
    IF journal.has_role('formicary_reader') THEN
        GRANT SELECT ON journal.v_accounts, journal.v_transfers, journal.v_entries, journal.v_events,
            journal.v_commits TO formicary_writer, formicary_follower, formicary_reader;
    END IF;
END
$$;
