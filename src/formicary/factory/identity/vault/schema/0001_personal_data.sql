-- Personal data, one row a party: unreadable without the party's data key, which is in another database.
--
-- Unlike the journal's rows these change and go. Nothing else refers to them: a party is known elsewhere by its
-- id alone.

CREATE TABLE vault.personal_data (
    party bytea PRIMARY KEY CHECK (octet_length(party) = 16),
    nonce bytea NOT NULL CHECK (octet_length(nonce) = 12),
    -- AES-256-GCM: never shorter than its tag.
    ciphertext bytea NOT NULL CHECK (octet_length(ciphertext) >= 16)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'formicary_vault') THEN
        GRANT USAGE ON SCHEMA vault TO formicary_vault;
        GRANT SELECT, INSERT, UPDATE, DELETE ON vault.personal_data TO formicary_vault;
    END IF;
END
$$;
