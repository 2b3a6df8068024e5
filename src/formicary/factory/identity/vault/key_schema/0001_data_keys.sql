-- One data key a party, in a database with backups of its own: what destroys a key here destroys the personal
-- data in every copy of the other database.

CREATE TABLE vault_keys.data_keys (
    party bytea PRIMARY KEY CHECK (octet_length(party) = 16),
    -- NULL: destroyed. The row stays, so that nobody makes a new key for an erased party.
    key bytea CHECK (octet_length(key) = 32)
);

CREATE FUNCTION vault_keys.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% refused: a data key is made once and destroyed once', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER keys_are_not_replaced BEFORE UPDATE ON vault_keys.data_keys
    FOR EACH ROW WHEN (NEW.key IS NOT NULL OR NEW.party <> OLD.party)
    EXECUTE FUNCTION vault_keys.refuse_change();
CREATE TRIGGER rows_stay BEFORE DELETE OR TRUNCATE ON vault_keys.data_keys
    FOR EACH STATEMENT EXECUTE FUNCTION vault_keys.refuse_change();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'formicary_vault') THEN
        GRANT USAGE ON SCHEMA vault_keys TO formicary_vault;
        GRANT SELECT, INSERT, UPDATE ON vault_keys.data_keys TO formicary_vault;
    END IF;
END
$$;
