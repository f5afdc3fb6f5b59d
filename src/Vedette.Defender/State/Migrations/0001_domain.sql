CREATE TABLE machines (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    computer_dns_name text,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    os_platform text NOT NULL,
    os_version text,
    os_processor text NOT NULL,
    version text NOT NULL,
    last_ip_address text,
    last_external_ip_address text,
    agent_version text,
    os_build bigint,
    health_status text NOT NULL,
    device_value text NOT NULL,
    rbac_group_id int NOT NULL,
    rbac_group_name text,
    risk_score text NOT NULL,
    exposure_level text NOT NULL,
    is_aad_joined boolean,
    aad_device_id uuid,
    machine_tags text[] NOT NULL,
    defender_av_status text NOT NULL,
    onboarding_status text NOT NULL,
    os_architecture text NOT NULL,
    managed_by text NOT NULL,
    managed_by_status text NOT NULL,
    ip_addresses jsonb NOT NULL,
    vm_metadata jsonb,
    merged_into_machine_id text,
    is_potential_duplication boolean NOT NULL,
    is_excluded boolean NOT NULL,
    exclusion_reason text,
    os_distribution text,
    device_type text NOT NULL,
    isolation text NOT NULL,
    is_code_execution_restricted boolean NOT NULL,
    channel text NOT NULL,
    agent_key_thumbprint text,
    last_contact timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON machines (tenant_id, lower(computer_dns_name) text_pattern_ops);
CREATE INDEX ON machines (tenant_id, last_seen DESC, id);
CREATE INDEX ON machines USING gin (machine_tags);
CREATE INDEX ON machines USING gin (ip_addresses jsonb_path_ops);
CREATE UNIQUE INDEX ON machines (agent_key_thumbprint) WHERE agent_key_thumbprint IS NOT NULL;

CREATE TABLE device_groups (
    tenant_id uuid NOT NULL,
    id int NOT NULL,
    name text NOT NULL,
    automation_level text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE logon_users (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    account_domain text NOT NULL,
    account_name text NOT NULL,
    account_sid text,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    logon_types text[] NOT NULL,
    logon_count bigint NOT NULL,
    is_domain_admin boolean NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, account_domain, account_name)
);
CREATE INDEX ON logon_users (tenant_id, account_name);

CREATE TABLE alerts (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    incident_id bigint,
    investigation_id bigint,
    investigation_state text,
    assigned_to text,
    severity text NOT NULL,
    status text NOT NULL,
    classification text,
    determination text,
    detection_source text NOT NULL,
    service_source text NOT NULL,
    detector_id uuid,
    category text NOT NULL,
    threat_family_name text,
    threat_name text,
    title text NOT NULL,
    description text NOT NULL,
    recommended_action text,
    alert_creation_time timestamptz NOT NULL,
    first_event_time timestamptz NOT NULL,
    last_event_time timestamptz NOT NULL,
    last_update_time timestamptz NOT NULL,
    resolved_time timestamptz,
    machine_id text,
    computer_dns_name text,
    rbac_group_id int NOT NULL,
    rbac_group_name text,
    mitre_techniques text[] NOT NULL,
    related_user jsonb,
    logged_on_users jsonb NOT NULL,
    comments jsonb NOT NULL,
    merge_key text,
    deduplication_key text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON alerts (tenant_id, alert_creation_time DESC, id DESC);
CREATE INDEX ON alerts (tenant_id, last_update_time DESC, id DESC);
CREATE INDEX ON alerts (tenant_id, machine_id, alert_creation_time DESC);
CREATE INDEX ON alerts (tenant_id, incident_id);
CREATE UNIQUE INDEX alerts_once ON alerts (tenant_id, deduplication_key) WHERE deduplication_key IS NOT NULL;
CREATE UNIQUE INDEX alerts_merge ON alerts (tenant_id, merge_key) WHERE merge_key IS NOT NULL AND status <> 'Resolved';

CREATE TABLE alert_evidence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    alert_id text NOT NULL,
    entity_type text NOT NULL,
    evidence_creation_time timestamptz NOT NULL,
    sha1 text,
    sha256 text,
    file_name text,
    file_path text,
    process_id bigint,
    process_command_line text,
    process_creation_time timestamptz,
    parent_process_id bigint,
    parent_process_creation_time timestamptz,
    parent_process_file_name text,
    parent_process_file_path text,
    ip_address text,
    url text,
    registry_key text,
    registry_hive text,
    registry_value_type text,
    registry_value text,
    registry_value_name text,
    account_name text,
    domain_name text,
    user_sid text,
    aad_user_id uuid,
    user_principal_name text,
    detection_status text,
    evidence_role text NOT NULL,
    FOREIGN KEY (tenant_id, alert_id) REFERENCES alerts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX ON alert_evidence (tenant_id, alert_id, id);
CREATE INDEX ON alert_evidence (tenant_id, sha1) WHERE sha1 IS NOT NULL;
CREATE INDEX ON alert_evidence (tenant_id, sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX ON alert_evidence (tenant_id, ip_address) WHERE ip_address IS NOT NULL;
CREATE INDEX ON alert_evidence (tenant_id, lower(account_name)) WHERE account_name IS NOT NULL;
CREATE INDEX ON alert_evidence (tenant_id, entity_type) WHERE url IS NOT NULL;

CREATE TABLE incidents (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    severity text NOT NULL,
    status text NOT NULL,
    classification text,
    determination text,
    assigned_to text,
    tags text[] NOT NULL,
    comments jsonb NOT NULL,
    created_time timestamptz NOT NULL,
    last_update_time timestamptz NOT NULL,
    redirect_incident_id bigint
);
CREATE INDEX ON incidents (tenant_id, last_update_time DESC, id DESC);
CREATE INDEX ON incidents (tenant_id, created_time DESC, id DESC);

CREATE TABLE investigations (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz,
    state text NOT NULL,
    cancelled_by text,
    status_details text,
    machine_id text NOT NULL,
    computer_dns_name text,
    triggering_alert_id text
);
CREATE INDEX ON investigations (tenant_id, start_time DESC);
CREATE INDEX ON investigations (tenant_id, triggering_alert_id);

CREATE TABLE machine_actions (
    id uuid PRIMARY KEY,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id uuid NOT NULL,
    type text NOT NULL,
    title text,
    requestor text NOT NULL,
    requestor_comment text,
    status text NOT NULL,
    machine_id text NOT NULL,
    computer_dns_name text,
    creation_date_time_utc timestamptz NOT NULL,
    last_update_date_time_utc timestamptz NOT NULL,
    cancellation_requestor text,
    cancellation_comment text,
    cancellation_date_time_utc timestamptz,
    error_hresult int NOT NULL,
    scope text,
    external_id text,
    request_source text NOT NULL,
    related_file_sha1 text,
    commands jsonb NOT NULL,
    troubleshoot_info text,
    started_at timestamptz,
    completed_at timestamptz,
    expires_at timestamptz NOT NULL,
    reads int NOT NULL,
    result_file text,
    result_size bigint
);
CREATE INDEX ON machine_actions (tenant_id, creation_date_time_utc DESC, sequence DESC);
CREATE INDEX ON machine_actions (tenant_id, machine_id, sequence);
CREATE INDEX machine_actions_open ON machine_actions (sequence) WHERE status IN ('Pending', 'InProgress');
-- One order of a kind at a time for a device (and file): the rule holds whatever runs at the same moment.
CREATE UNIQUE INDEX machine_actions_once ON machine_actions (tenant_id, machine_id, type, coalesce(related_file_sha1, ''))
    WHERE status IN ('Pending', 'InProgress');

CREATE TABLE indicators (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    indicator_value text NOT NULL,
    indicator_type text NOT NULL,
    action text NOT NULL,
    created_by text NOT NULL,
    created_by_display_name text,
    created_by_source text NOT NULL,
    severity text NOT NULL,
    category int NOT NULL,
    application text,
    educate_url text,
    bypass_duration_hours int,
    title text NOT NULL,
    description text NOT NULL,
    recommended_actions text,
    creation_time_date_time_utc timestamptz NOT NULL,
    expiration_time timestamptz,
    last_update_time timestamptz NOT NULL,
    last_updated_by text,
    rbac_group_names text[] NOT NULL,
    rbac_group_ids text[] NOT NULL,
    mitre_techniques text[] NOT NULL,
    generate_alert boolean NOT NULL,
    external_id text,
    historical_detection boolean NOT NULL
);
CREATE INDEX ON indicators (tenant_id, indicator_type, indicator_value);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    rows text NOT NULL,
    row_count int NOT NULL,
    delivery bigint
);
CREATE INDEX ON outbox (delivery) WHERE delivery IS NOT NULL;

CREATE TABLE import_journal (
    tenant_id uuid NOT NULL,
    content_hash text NOT NULL,
    file text NOT NULL,
    shift bigint NOT NULL,
    chunks_done int NOT NULL,
    complete boolean NOT NULL,
    events bigint NOT NULL,
    rows bigint NOT NULL,
    began_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, content_hash)
);

CREATE TABLE tenant_settings (
    tenant_id uuid PRIMARY KEY,
    action_timing jsonb NOT NULL,
    duplicate_orders text NOT NULL,
    automated_investigations boolean NOT NULL
);
