-- Users, groups, applications and service principals that were deleted, with every row that went with them, so that they can be restored.
CREATE TABLE deleted_items (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('User', 'Group', 'Application', 'ServicePrincipal')),
    deleted_at timestamptz NOT NULL,
    rows jsonb NOT NULL
);
CREATE INDEX deleted_items_tenant ON deleted_items (tenant_id, kind);
CREATE INDEX deleted_items_time ON deleted_items (deleted_at);
