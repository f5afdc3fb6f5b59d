-- How far each rule has looked at a tenant's telemetry. Seen up to a time of arrival; a changed query begins again.
CREATE TABLE detection_progress (
    tenant_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    query_hash text NOT NULL,
    -- Ticks of 100 ns, because arrivals are that exact and a mark must not lie between two of them.
    seen_until_ticks bigint NOT NULL,
    next_run timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, rule_id)
);

CREATE TABLE detection_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    rule_title text NOT NULL,
    started_at timestamptz NOT NULL,
    elapsed_ms int NOT NULL,
    window_from timestamptz NOT NULL,
    window_to timestamptz NOT NULL,
    status text NOT NULL,
    rows int NOT NULL,
    alerts int NOT NULL,
    merged int NOT NULL,
    dropped int NOT NULL,
    failure text
);
CREATE INDEX ON detection_runs (tenant_id, rule_id, id DESC);
CREATE INDEX ON detection_runs (tenant_id, id DESC);

-- The demo tenant: its end of time is fixed by the first attempt, so that an interrupted one continues with the same rows.
CREATE TABLE demo_tenants (
    tenant_id uuid PRIMARY KEY,
    seed int NOT NULL,
    history_end timestamptz NOT NULL,
    completed_at timestamptz
);
