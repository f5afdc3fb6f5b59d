-- Whatever a client or browser holds as an opaque value: authorization codes, refresh tokens, device codes, sessions. Only a keyed hash of
-- the value is here.
CREATE TABLE tickets (
    hash bytea PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('Code', 'Refresh', 'Device', 'Session')),
    app_id uuid,
    tenant_id uuid REFERENCES tenants ON DELETE CASCADE,
    user_id uuid REFERENCES users ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    user_code text,
    data jsonb NOT NULL
);
CREATE UNIQUE INDEX tickets_user_code ON tickets (user_code) WHERE user_code IS NOT NULL;
CREATE INDEX tickets_expiry ON tickets (expires_at);
CREATE INDEX tickets_user ON tickets (user_id);
