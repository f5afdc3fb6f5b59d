-- Who changes a table holds a lock under its sequence's name until the change can be seen, taken before the number grows: who reads a number and
-- then finds the lock free knows that no change under that number is still to come. A snapshot's bounds do not tell: they end at the last
-- transaction that completed, and leave out a newer one that is still at work.
CREATE OR REPLACE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(TG_ARGV[0], 0));
    PERFORM nextval(TG_ARGV[0]::regclass);
    RETURN NULL;
END
$$;

-- The first use of a sequence does not change what it shows.
SELECT nextval('changes.alerts'), nextval('changes.machines');
