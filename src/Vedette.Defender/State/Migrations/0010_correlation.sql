-- Which entities an incident's alerts have, and when: how a new alert finds its incident.
CREATE TABLE incident_entities (
    tenant_id uuid NOT NULL,
    key text NOT NULL,
    incident_id bigint NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    first_event timestamptz NOT NULL,
    last_event timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, key, incident_id)
);
CREATE INDEX ON incident_entities (tenant_id, key, last_event);
CREATE INDEX ON incident_entities (tenant_id, incident_id, key text_pattern_ops);

-- What an incident's name is made of, so that it need not be counted again.
CREATE TABLE incident_summaries (
    incident_id bigint PRIMARY KEY REFERENCES incidents (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    title text NOT NULL,
    titles text[] NOT NULL,
    categories text[] NOT NULL,
    alerts int NOT NULL,
    devices int NOT NULL
);
