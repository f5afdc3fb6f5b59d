-- How far an automated investigation is, and what people decided about it.
CREATE TABLE investigation_work (
    investigation_id bigint PRIMARY KEY REFERENCES investigations (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    requested_by text NOT NULL,
    comment text,
    -- False while something is to be looked at: at the beginning, and again when a further alert joins.
    collected boolean NOT NULL,
    -- Approved or Rejected: what a person decided about remediation that waits.
    decision text
);

-- What an investigation looked at, and what came of it.
CREATE TABLE investigation_entities (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    investigation_id bigint NOT NULL REFERENCES investigations (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    name text,
    path text,
    verdict text NOT NULL,
    reason text NOT NULL,
    remediation text NOT NULL,
    action_id uuid,
    UNIQUE (investigation_id, kind, value)
);
CREATE INDEX ON investigations (tenant_id, machine_id) WHERE state IN ('Queued', 'Running', 'PendingApproval', 'PendingResource');
CREATE INDEX ON alerts (tenant_id, investigation_id) WHERE investigation_id IS NOT NULL;
