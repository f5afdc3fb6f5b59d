-- Knowledge of vulnerabilities, shared by all tenants: it is public and says nothing of anybody.
CREATE TABLE kb_vulnerabilities (
    id text PRIMARY KEY,
    -- How much the feed that wrote the row is to be believed; a lesser feed only fills what is empty.
    authority int NOT NULL,
    description text NOT NULL,
    severity text,
    cvss double precision,
    cvss_vector text,
    published_on timestamptz,
    updated_on timestamptz,
    public_exploit boolean NOT NULL DEFAULT false,
    exploit_verified boolean NOT NULL DEFAULT false,
    exploit_in_kit boolean NOT NULL DEFAULT false,
    exploit_types text[] NOT NULL DEFAULT '{}',
    exploit_uris text[] NOT NULL DEFAULT '{}',
    epss double precision,
    tags text[] NOT NULL DEFAULT '{}',
    added_at timestamptz NOT NULL
);

CREATE TABLE kb_affected (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    -- The feed's own record, which a later import of the feed replaces as a whole.
    record text NOT NULL,
    vulnerability_id text NOT NULL,
    scheme text NOT NULL,
    package text NOT NULL,
    introduced text,
    fixed text,
    last_affected text,
    versions text[] NOT NULL,
    fix_id text,
    fix_name text,
    fix_url text
);
CREATE INDEX ON kb_affected (scheme, package);
CREATE INDEX ON kb_affected (vulnerability_id, source, record);

CREATE TABLE kb_feeds (
    source text NOT NULL,
    name text NOT NULL,
    released text,
    imported_at timestamptz NOT NULL,
    records bigint NOT NULL,
    understood bigint NOT NULL,
    PRIMARY KEY (source, name)
);

-- One row: grows with every change of the knowledge, so that whoever matched against it knows when to match again.
CREATE TABLE kb_state (revision bigint NOT NULL);
INSERT INTO kb_state VALUES (1);

-- What devices have. A version of a product is kept once for a tenant, so that it is matched once and not for each device.
CREATE TABLE software_versions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    vendor text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    scheme text NOT NULL,
    package text NOT NULL,
    has_product_code boolean NOT NULL,
    end_of_support date,
    end_of_support_scope text,
    matched_revision bigint NOT NULL DEFAULT 0,
    weaknesses int NOT NULL DEFAULT 0,
    risk double precision NOT NULL DEFAULT 0,
    UNIQUE (tenant_id, vendor, name, version, scheme, package)
);
CREATE INDEX ON software_versions (tenant_id, matched_revision);

CREATE TABLE installations (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    version_id bigint NOT NULL REFERENCES software_versions (id),
    disk_paths text[] NOT NULL,
    registry_paths text[] NOT NULL,
    first_seen timestamptz NOT NULL,
    added_at timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    -- Kept for a while after the software is gone: the changes that clients ask for are read from here.
    removed_at timestamptz,
    PRIMARY KEY (tenant_id, machine_id, version_id)
);
CREATE INDEX ON installations (version_id, machine_id) WHERE removed_at IS NULL;
CREATE INDEX ON installations (tenant_id, removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX ON installations (tenant_id, added_at);

CREATE TABLE version_vulnerabilities (
    version_id bigint NOT NULL REFERENCES software_versions (id),
    vulnerability_id text NOT NULL,
    tenant_id uuid NOT NULL,
    fixed_version text,
    fix_id text,
    fix_name text,
    fix_url text,
    risk double precision NOT NULL,
    -- What a client sees of the match; a change of it is an update of the vulnerability.
    fingerprint text NOT NULL,
    found_at timestamptz NOT NULL,
    updated_at timestamptz,
    removed_at timestamptz,
    PRIMARY KEY (version_id, vulnerability_id)
);
CREATE INDEX ON version_vulnerabilities (tenant_id, vulnerability_id) WHERE removed_at IS NULL;
CREATE INDEX ON version_vulnerabilities (tenant_id, found_at);

-- What follows from the above, written by the assessment.
CREATE TABLE tvm_state (
    tenant_id uuid PRIMARY KEY,
    changed bigint NOT NULL DEFAULT 0,
    assessed bigint NOT NULL DEFAULT -1,
    assessed_revision bigint NOT NULL DEFAULT 0,
    assessed_at timestamptz,
    assessed_alerts timestamptz,
    duration_ms int NOT NULL DEFAULT 0,
    published bigint NOT NULL DEFAULT -1,
    published_revision bigint NOT NULL DEFAULT 0
);

CREATE TABLE tvm_machines (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    risk double precision NOT NULL,
    exposure double precision NOT NULL,
    PRIMARY KEY (tenant_id, machine_id)
);

CREATE TABLE tvm_products (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    vendor text NOT NULL,
    name text NOT NULL,
    has_product_code boolean NOT NULL,
    weaknesses bigint NOT NULL,
    public_exploit boolean NOT NULL,
    active_alert boolean NOT NULL,
    exposed_machines bigint NOT NULL,
    installed_machines bigint NOT NULL,
    impact_score double precision NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE tvm_vulnerabilities (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    exposed_machines bigint NOT NULL,
    first_detected timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE tvm_recommendations (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    product_id text,
    configuration_id text,
    product_name text NOT NULL,
    recommendation_name text NOT NULL,
    weaknesses bigint NOT NULL,
    vendor text NOT NULL,
    recommended_version text NOT NULL,
    recommended_program text NOT NULL,
    recommended_vendor text NOT NULL,
    category text NOT NULL,
    sub_category text NOT NULL,
    severity_score double precision NOT NULL,
    public_exploit boolean NOT NULL,
    active_alert boolean NOT NULL,
    remediation_type text NOT NULL,
    status text NOT NULL,
    config_score_impact double precision NOT NULL,
    exposure_impact double precision NOT NULL,
    total_machine_count bigint NOT NULL,
    exposed_machines_count bigint NOT NULL,
    non_productivity_impacted_assets bigint NOT NULL,
    related_component text NOT NULL,
    has_unpatchable_cve boolean NOT NULL,
    tags text[] NOT NULL,
    exposed_critical_devices bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE recommendation_exceptions (
    tenant_id uuid NOT NULL,
    recommendation_id text NOT NULL,
    justification text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, recommendation_id)
);

-- A device that moves to another group leaves the old group's view and enters the new one's.
CREATE TABLE machine_group_moves (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    old_group_id int NOT NULL,
    old_group_name text,
    moved_at timestamptz
);
CREATE INDEX ON machine_group_moves (tenant_id, moved_at);

CREATE FUNCTION note_group_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Without a time: the server's clock may not be the database's, so the next assessment stamps it.
    INSERT INTO defender.machine_group_moves (tenant_id, machine_id, old_group_id, old_group_name)
    VALUES (OLD.tenant_id, OLD.id, OLD.rbac_group_id, OLD.rbac_group_name);
    RETURN NULL;
END $$;
CREATE TRIGGER machine_group_moved AFTER UPDATE OF rbac_group_id ON machines
    FOR EACH ROW WHEN (OLD.rbac_group_id IS DISTINCT FROM NEW.rbac_group_id) EXECUTE FUNCTION note_group_move();

CREATE TABLE configuration_assessments (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    configuration_id text NOT NULL,
    is_applicable boolean NOT NULL,
    is_compliant boolean NOT NULL,
    context jsonb,
    assessed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, configuration_id)
);
CREATE INDEX ON configuration_assessments (tenant_id, configuration_id, machine_id);

CREATE TABLE baseline_profiles (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    benchmark text NOT NULL,
    version text NOT NULL,
    operating_system text NOT NULL,
    operating_system_version text NOT NULL,
    status boolean NOT NULL,
    compliance_level text NOT NULL,
    created_by text NOT NULL,
    last_updated_by text,
    created_on timestamptz NOT NULL,
    last_updated_on timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE baseline_assessments (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    profile_id uuid NOT NULL,
    configuration_id text NOT NULL,
    is_applicable boolean NOT NULL,
    is_compliant boolean NOT NULL,
    current_value text[] NOT NULL,
    collected_at timestamptz NOT NULL,
    calculated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, profile_id, configuration_id)
);
CREATE INDEX ON baseline_assessments (tenant_id, profile_id, machine_id);

CREATE TABLE device_certificates (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    thumbprint text NOT NULL,
    path text NOT NULL,
    signature_algorithm text NOT NULL,
    key_length int NOT NULL,
    not_after timestamptz,
    not_before timestamptz,
    subject_type text NOT NULL,
    serial_number text NOT NULL,
    friendly_name text,
    subject jsonb,
    issuer jsonb,
    key_usage text[] NOT NULL,
    extended_key_usage text[] NOT NULL,
    is_self_signed boolean NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, thumbprint, path)
);

CREATE TABLE browser_extensions (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    browser_name text NOT NULL,
    extension_id text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    version text NOT NULL,
    vendor text NOT NULL,
    risk text NOT NULL,
    is_activated boolean NOT NULL,
    installed_at timestamptz NOT NULL,
    permissions jsonb NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, browser_name, extension_id)
);

CREATE TABLE hardware_components (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    component_type text NOT NULL,
    component_name text NOT NULL,
    manufacturer text NOT NULL,
    component_version text NOT NULL,
    component_family text NOT NULL,
    additional jsonb NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, component_type, component_name)
);

CREATE TABLE device_posture (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    antivirus jsonb,
    gathered jsonb,
    settings jsonb,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, machine_id)
);

CREATE TABLE remediation_tasks (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    recommendation_id text NOT NULL,
    title text NOT NULL,
    created_on timestamptz NOT NULL,
    requester_id uuid NOT NULL,
    requester_email text NOT NULL,
    status text NOT NULL,
    status_last_modified_on timestamptz NOT NULL,
    description text NOT NULL,
    related_component text NOT NULL,
    rbac_group_names text[] NOT NULL,
    requester_notes text,
    due_on timestamptz NOT NULL,
    category text NOT NULL,
    productivity_impact_remediation_type text,
    priority text NOT NULL,
    completion_method text,
    completer_id text,
    completer_email text,
    scid text,
    type text NOT NULL,
    product_id text,
    vendor_id text,
    name_id text,
    recommended_version text,
    recommended_vendor text,
    recommended_program text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON remediation_tasks (tenant_id, created_on);

CREATE TABLE remediation_targets (
    tenant_id uuid NOT NULL,
    task_id uuid NOT NULL,
    machine_id text NOT NULL,
    is_fixed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, task_id, machine_id),
    FOREIGN KEY (tenant_id, task_id) REFERENCES remediation_tasks (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE scan_agents (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    assigned_application_id uuid NOT NULL,
    scanner_software_version text NOT NULL,
    last_command_execution timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, machine_id)
);

CREATE TABLE scan_definitions (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    scan_type text NOT NULL,
    scan_name text NOT NULL,
    is_active boolean NOT NULL,
    target text NOT NULL,
    interval_in_hours int NOT NULL,
    created_by text NOT NULL,
    target_type text NOT NULL,
    authentication jsonb,
    scanner_machine_id text NOT NULL,
    created_at timestamptz NOT NULL,
    next_run timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE scan_sessions (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    definition_id uuid NOT NULL,
    scanner_machine_id text NOT NULL,
    executed_at timestamptz NOT NULL,
    status text NOT NULL,
    failure_reason text,
    targets jsonb NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, definition_id) REFERENCES scan_definitions (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX ON scan_sessions (tenant_id, definition_id, executed_at DESC);

-- Exports read one picture of the state, kept in files; a row appears when its files are whole.
CREATE TABLE export_snapshots (
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    time_path text NOT NULL,
    bucket timestamptz NOT NULL,
    generated_at timestamptz NOT NULL,
    files jsonb NOT NULL,
    PRIMARY KEY (tenant_id, kind, time_path)
);
