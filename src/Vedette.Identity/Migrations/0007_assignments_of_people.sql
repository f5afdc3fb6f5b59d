-- App roles may be held by users and groups, too.
ALTER TABLE app_role_assignments
    DROP CONSTRAINT app_role_assignments_principal_id_fkey,
    ADD COLUMN principal_kind text NOT NULL DEFAULT 'ServicePrincipal' CHECK (principal_kind IN ('User', 'Group', 'ServicePrincipal'));
CREATE INDEX app_role_assignments_resource ON app_role_assignments (resource_id);
