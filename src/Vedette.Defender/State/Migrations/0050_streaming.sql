-- Exports of raw events: where they go, and how far each table has come.
CREATE TABLE data_exports (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    target text NOT NULL,
    secret bytea,
    tables text[] NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    records bigint NOT NULL DEFAULT 0,
    last_delivery timestamptz,
    last_error text,
    UNIQUE (tenant_id, name)
);

-- Rows that arrived before this moment (ticks of 100 ns) have been delivered.
CREATE TABLE data_export_cursors (
    export_id uuid NOT NULL REFERENCES data_exports (id) ON DELETE CASCADE,
    table_name text NOT NULL,
    delivered_until bigint NOT NULL,
    PRIMARY KEY (export_id, table_name)
);
