-- The secret of a person's authenticator app, encrypted with the key file's key. last_step is the newest time step that was used: each code
-- is good once.
CREATE TABLE second_factors (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    secret bytea NOT NULL,
    last_step bigint NOT NULL,
    enrolled_at timestamptz NOT NULL
);

-- How a tenant's sign-ins behave where the default is not wanted.
CREATE TABLE sign_in_settings (
    tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    single_use_refresh_tokens boolean NOT NULL DEFAULT false
);

-- When a device last asked whether its user has signed in.
ALTER TABLE tickets ADD COLUMN polled_at timestamptz;

-- The latest refused calls of the APIs, so that the id in an answer can be explained, also after a restart.
CREATE TABLE refusals (
    id uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    detail jsonb NOT NULL
);
CREATE INDEX refusals_time ON refusals (occurred_at);
