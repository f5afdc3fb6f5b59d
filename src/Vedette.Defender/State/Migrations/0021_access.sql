-- Roles of people, given to groups of the directory; and which groups may see a device group.
CREATE TABLE roles (
    tenant_id uuid NOT NULL,
    id int NOT NULL,
    name text NOT NULL,
    description text,
    permissions text[] NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX ON roles (tenant_id, lower(name));

CREATE TABLE role_groups (
    tenant_id uuid NOT NULL,
    role_id int NOT NULL,
    group_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, role_id, group_id),
    FOREIGN KEY (tenant_id, role_id) REFERENCES roles ON DELETE CASCADE
);

-- A device group without rows here is everybody's; number 0 stands for devices in no group.
CREATE TABLE device_group_access (
    tenant_id uuid NOT NULL,
    device_group_id int NOT NULL,
    group_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, device_group_id, group_id)
);
