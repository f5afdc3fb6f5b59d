CREATE TABLE tenants (
    id uuid PRIMARY KEY,
    display_name text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE domains (
    name text PRIMARY KEY CHECK (name = lower(name)),
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    is_default boolean NOT NULL
);
CREATE UNIQUE INDEX domains_default ON domains (tenant_id) WHERE is_default;

CREATE TABLE applications (
    id uuid PRIMARY KEY,
    app_id uuid NOT NULL UNIQUE,
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    display_name text NOT NULL,
    sign_in_audience text NOT NULL CHECK (sign_in_audience IN ('AzureADMyOrg', 'AzureADMultipleOrgs')),
    is_public_client boolean NOT NULL,
    requested_access_token_version integer CHECK (requested_access_token_version IN (1, 2)),
    identifier_uris text[] NOT NULL,
    redirect_uris jsonb NOT NULL,
    app_roles jsonb NOT NULL,
    scopes jsonb NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX applications_tenant ON applications (tenant_id, created_at);

CREATE TABLE required_permissions (
    application_id uuid NOT NULL REFERENCES applications ON DELETE CASCADE,
    resource_app_id uuid NOT NULL,
    permission_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('Role', 'Scope')),
    PRIMARY KEY (application_id, resource_app_id, permission_id, kind)
);

CREATE TABLE service_principals (
    id uuid PRIMARY KEY,
    app_id uuid NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    account_enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    UNIQUE (tenant_id, app_id)
);

-- Consent of an administrator to application permissions.
CREATE TABLE app_role_assignments (
    id uuid PRIMARY KEY,
    principal_id uuid NOT NULL REFERENCES service_principals ON DELETE CASCADE,
    resource_id uuid NOT NULL REFERENCES service_principals ON DELETE CASCADE,
    app_role_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (principal_id, resource_id, app_role_id)
);

-- Consent to delegated permissions, for everybody (principal_id is null) or for one user.
CREATE TABLE permission_grants (
    id uuid PRIMARY KEY,
    client_id uuid NOT NULL REFERENCES service_principals ON DELETE CASCADE,
    resource_id uuid NOT NULL REFERENCES service_principals ON DELETE CASCADE,
    principal_id uuid,
    scope text NOT NULL,
    UNIQUE NULLS NOT DISTINCT (client_id, resource_id, principal_id)
);

-- The value itself is shown once and never stored: hash is HMAC-SHA256 under the key file's key.
CREATE TABLE client_secrets (
    key_id uuid PRIMARY KEY,
    application_id uuid NOT NULL REFERENCES applications ON DELETE CASCADE,
    display_name text,
    hint text NOT NULL,
    hash bytea NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE INDEX client_secrets_application ON client_secrets (application_id);

CREATE TABLE client_certificates (
    key_id uuid PRIMARY KEY,
    application_id uuid NOT NULL REFERENCES applications ON DELETE CASCADE,
    display_name text,
    certificate bytea NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE INDEX client_certificates_application ON client_certificates (application_id);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    user_principal_name text NOT NULL,
    display_name text NOT NULL,
    given_name text,
    surname text,
    account_enabled boolean NOT NULL DEFAULT true,
    password_hash text,
    directory_roles uuid[] NOT NULL DEFAULT '{}',
    failed_sign_ins integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_name ON users (lower(user_principal_name));
CREATE INDEX users_tenant ON users (tenant_id, created_at);

-- private_key is PKCS#8 under AES-256-GCM with the key file's key.
CREATE TABLE signing_keys (
    id text PRIMARY KEY,
    private_key bytea NOT NULL,
    certificate bytea NOT NULL,
    signs_from timestamptz NOT NULL
);

CREATE TABLE audit_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    activity text NOT NULL,
    tenant_id uuid,
    actor text NOT NULL,
    target text NOT NULL,
    succeeded boolean NOT NULL,
    detail jsonb NOT NULL
);
CREATE INDEX audit_events_time ON audit_events (occurred_at);
