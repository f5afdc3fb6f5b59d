-- The moment of each tenant's last change to alerts and incidents. Every such change takes the next moment first and holds the row until it is
-- committed: moments become visible in their order, so whoever has read up to one has missed nothing before it.
CREATE TABLE update_moments (
    tenant_id uuid PRIMARY KEY,
    moment timestamptz NOT NULL
) WITH (fillfactor = 10);

-- Two changes within a microsecond, or on servers whose clocks differ a little, follow each other by one. A clock that was turned back further
-- begins anew.
CREATE FUNCTION update_moment(tenant uuid, present timestamptz) RETURNS timestamptz LANGUAGE sql AS $$
    INSERT INTO defender.update_moments AS known (tenant_id, moment) VALUES (tenant, present)
    ON CONFLICT (tenant_id) DO UPDATE SET moment = CASE
        WHEN known.moment >= excluded.moment AND known.moment < excluded.moment + interval '1 hour' THEN known.moment + interval '1 microsecond'
        ELSE excluded.moment END
    RETURNING moment
$$;

-- Incidents that were merged into one, and a device's open alerts by severity: both are asked for with every alert that comes in.
CREATE INDEX ON incidents (redirect_incident_id) WHERE redirect_incident_id IS NOT NULL;
CREATE INDEX ON alerts (tenant_id, machine_id, severity) WHERE status <> 'Resolved';
CREATE INDEX ON alerts (tenant_id, incident_id) WHERE status <> 'Resolved';
