-- A number for each of the tables that clients list most, which grows with every statement that changes them. Sequences are outside of
-- transactions: the number grows before the change can be seen, so an answer that was made under a number that is still the present one and
-- while nobody was writing is the present answer. They live in a schema of their own, because a restored copy must not take them back.
CREATE SCHEMA IF NOT EXISTS changes;
CREATE SEQUENCE changes.alerts;
CREATE SEQUENCE changes.machines;

CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval(TG_ARGV[0]::regclass);
    RETURN NULL;
END
$$;

CREATE TRIGGER alerts_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON alerts FOR EACH STATEMENT EXECUTE FUNCTION note_change('changes.alerts');
CREATE TRIGGER evidence_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON alert_evidence FOR EACH STATEMENT EXECUTE FUNCTION note_change('changes.alerts');
CREATE TRIGGER machines_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON machines FOR EACH STATEMENT EXECUTE FUNCTION note_change('changes.machines');
