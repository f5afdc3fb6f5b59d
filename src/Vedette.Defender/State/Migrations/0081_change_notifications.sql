-- Change notifications: who wants to hear of changes to alerts and incidents, and what is still to be told. They lie outside of what snapshots hold:
-- a registration outlives a restored state, as applications do.
CREATE TABLE changes.subscriptions (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    application_id uuid NOT NULL,
    creator_id uuid NOT NULL,
    is_user boolean NOT NULL,
    device_groups int[],
    kind text NOT NULL,
    resource text NOT NULL,
    resource_id text,
    filter text,
    change_types text[] NOT NULL,
    notification_url text NOT NULL,
    lifecycle_url text,
    client_state bytea,
    tls_version text NOT NULL,
    expiration timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    reauthorization_asked boolean NOT NULL DEFAULT false,
    failures int NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE INDEX ON changes.subscriptions (tenant_id, kind);

-- One line for each transaction that changed a resource. It refers to a subscription that may be gone by then: a change must not fail because
-- somebody unsubscribes at that moment. A line of another change than was asked for is there to keep that transaction's further
-- changes of the resource from being told (wanted), and matched says whether the filter lets it through once that has been looked at.
CREATE TABLE changes.notifications (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription_id uuid NOT NULL,
    change text NOT NULL,
    resource_id text NOT NULL,
    xid xid8,
    wanted boolean NOT NULL,
    matched boolean,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (subscription_id, xid, resource_id)
);
CREATE INDEX ON changes.notifications (subscription_id, id);

-- Changes of a state that is being put in place of another are nobody's news; emptying the tables comes before.
CREATE FUNCTION note_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('vedette.emptied', 'yes', true);
    PERFORM nextval('changes.epoch');
    RETURN NULL;
END
$$;

CREATE FUNCTION note_notifications() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed record;
    change_type text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'updated' ELSE 'deleted' END;
BEGIN
    IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
    IF coalesce(current_setting('vedette.emptied', true), '') <> '' THEN RETURN NULL; END IF;
    INSERT INTO changes.notifications (subscription_id, change, resource_id, xid, wanted)
    SELECT id, change_type, changed.id::text, pg_current_xact_id(), change_type = ANY(change_types) FROM changes.subscriptions
    WHERE tenant_id = changed.tenant_id AND kind = TG_ARGV[0] AND (resource_id IS NULL OR resource_id = changed.id::text)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

-- Which transaction changed a row last: what a delta query since a known snapshot answers is what that snapshot did not see. Rows that are gone
-- leave a trace.
ALTER TABLE alerts ADD COLUMN changed_in xid8 NOT NULL DEFAULT '0';
ALTER TABLE incidents ADD COLUMN changed_in xid8 NOT NULL DEFAULT '0';
CREATE INDEX ON alerts (tenant_id, changed_in);
CREATE INDEX ON incidents (tenant_id, changed_in);

CREATE TABLE changes.removed (
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    resource_id text NOT NULL,
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    removed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, kind, resource_id)
);

-- Grows whenever a state is put in place of another: what was read before says nothing about it.
CREATE SEQUENCE changes.epoch;
SELECT nextval('changes.epoch');

CREATE FUNCTION note_changed_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id();
    RETURN NEW;
END
$$;

CREATE FUNCTION note_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes.removed (tenant_id, kind, resource_id) VALUES (OLD.tenant_id, TG_ARGV[0], OLD.id::text)
    ON CONFLICT (tenant_id, kind, resource_id) DO UPDATE SET changed_in = pg_current_xact_id(), removed_at = clock_timestamp();
    RETURN NULL;
END
$$;

CREATE TRIGGER alerts_changed_in BEFORE INSERT OR UPDATE ON alerts FOR EACH ROW EXECUTE FUNCTION note_changed_in();
CREATE TRIGGER incidents_changed_in BEFORE INSERT OR UPDATE ON incidents FOR EACH ROW EXECUTE FUNCTION note_changed_in();
CREATE TRIGGER alerts_removed AFTER DELETE ON alerts FOR EACH ROW EXECUTE FUNCTION note_removed('alert');
CREATE TRIGGER incidents_removed AFTER DELETE ON incidents FOR EACH ROW EXECUTE FUNCTION note_removed('incident');
CREATE TRIGGER alerts_news AFTER INSERT OR DELETE ON alerts FOR EACH ROW EXECUTE FUNCTION note_notifications('alert');
CREATE TRIGGER incidents_news AFTER INSERT OR DELETE ON incidents FOR EACH ROW EXECUTE FUNCTION note_notifications('incident');
CREATE TRIGGER alerts_updates AFTER UPDATE ON alerts FOR EACH ROW
    WHEN (OLD.last_update_time IS DISTINCT FROM NEW.last_update_time) EXECUTE FUNCTION note_notifications('alert');
CREATE TRIGGER incidents_updates AFTER UPDATE ON incidents FOR EACH ROW
    WHEN (OLD.last_update_time IS DISTINCT FROM NEW.last_update_time) EXECUTE FUNCTION note_notifications('incident');
CREATE TRIGGER incidents_emptied AFTER TRUNCATE ON incidents FOR EACH STATEMENT EXECUTE FUNCTION note_emptied();
CREATE TRIGGER alerts_emptied AFTER TRUNCATE ON alerts FOR EACH STATEMENT EXECUTE FUNCTION note_emptied();
