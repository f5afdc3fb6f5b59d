ALTER TABLE tenants ADD COLUMN requires_mfa boolean NOT NULL DEFAULT false;

ALTER TABLE users
    ADD COLUMN mail_nickname text,
    ADD COLUMN mail text,
    ADD COLUMN job_title text,
    ADD COLUMN department text,
    ADD COLUMN company_name text,
    ADD COLUMN office_location text,
    ADD COLUMN mobile_phone text,
    ADD COLUMN preferred_language text,
    ADD COLUMN usage_location text,
    ADD COLUMN employee_id text;

CREATE TABLE groups (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    display_name text NOT NULL,
    description text,
    mail_nickname text NOT NULL,
    mail_enabled boolean NOT NULL,
    security_enabled boolean NOT NULL,
    group_types text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL
);
CREATE INDEX groups_tenant ON groups (tenant_id, lower(display_name));

CREATE TABLE group_members (
    group_id uuid NOT NULL REFERENCES groups ON DELETE CASCADE,
    member_id uuid NOT NULL,
    member_kind text NOT NULL CHECK (member_kind IN ('User', 'Group', 'ServicePrincipal')),
    PRIMARY KEY (group_id, member_id)
);
CREATE INDEX group_members_member ON group_members (member_id);

-- Owners of applications, service principals and groups: users or service principals of the same tenant.
CREATE TABLE owners (
    object_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    PRIMARY KEY (object_id, owner_id)
);
CREATE INDEX owners_owner ON owners (owner_id);

ALTER TABLE applications
    DROP CONSTRAINT applications_sign_in_audience_check,
    ADD CHECK (sign_in_audience IN ('AzureADMyOrg', 'AzureADMultipleOrgs', 'AzureADandPersonalMicrosoftAccount', 'PersonalMicrosoftAccount')),
    ADD COLUMN description text,
    ADD COLUMN notes text,
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}';

ALTER TABLE service_principals
    ADD COLUMN app_role_assignment_required boolean NOT NULL DEFAULT false,
    ADD COLUMN notes text,
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}';

-- A service principal may hold secrets and certificates of its own, which are good in its tenant only.
ALTER TABLE client_secrets
    ALTER COLUMN application_id DROP NOT NULL,
    ADD COLUMN service_principal_id uuid REFERENCES service_principals ON DELETE CASCADE,
    ADD CHECK (num_nonnulls(application_id, service_principal_id) = 1);
CREATE INDEX client_secrets_principal ON client_secrets (service_principal_id) WHERE service_principal_id IS NOT NULL;

ALTER TABLE client_certificates
    ALTER COLUMN application_id DROP NOT NULL,
    ADD COLUMN service_principal_id uuid REFERENCES service_principals ON DELETE CASCADE,
    ADD CHECK (num_nonnulls(application_id, service_principal_id) = 1);
CREATE INDEX client_certificates_principal ON client_certificates (service_principal_id) WHERE service_principal_id IS NOT NULL;

-- The APIs that exist in every tenant, copied from the program's catalogue at start, so that the directory can be asked about them in SQL.
CREATE TABLE first_party_resources (
    app_id uuid PRIMARY KEY,
    display_name text NOT NULL,
    resource_uris text[] NOT NULL,
    app_roles jsonb NOT NULL,
    scopes jsonb NOT NULL,
    fingerprint text NOT NULL
);
