-- What Graph tells of an indicator beyond the Endpoint API.
ALTER TABLE indicators ADD COLUMN graph jsonb;

-- Indicators of threat intelligence that no device acts on: those for other products, and those that are switched off.
CREATE TABLE threat_indicators (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    created_by text NOT NULL,
    ingested timestamptz NOT NULL,
    expires timestamptz,
    external_id text,
    graph jsonb NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON threat_indicators (tenant_id, created_by, external_id);
