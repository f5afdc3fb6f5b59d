-- The live response library of a tenant. Names are told apart without regard to case.
CREATE TABLE library_files (
    tenant_id uuid NOT NULL,
    file_key text NOT NULL GENERATED ALWAYS AS (lower(file_name)) STORED,
    file_name text NOT NULL,
    sha256 text NOT NULL,
    size bigint NOT NULL,
    description text,
    has_parameters boolean NOT NULL,
    parameters_description text,
    created_by text NOT NULL,
    creation_time timestamptz NOT NULL,
    last_updated_time timestamptz NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (tenant_id, file_key)
);

-- Files of simulated devices whose contents are known because a session put or wrote them.
CREATE TABLE device_files (
    tenant_id uuid NOT NULL,
    machine_id text NOT NULL,
    path_key text NOT NULL,
    path text NOT NULL,
    size bigint NOT NULL,
    sha1 text NOT NULL,
    modified_at timestamptz NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, path_key)
);
CREATE INDEX ON device_files (tenant_id, machine_id, sha1);

-- What a session did, written together with its effects: a session that is taken up again after a crash is not run twice.
CREATE TABLE device_sessions (
    command_id uuid PRIMARY KEY,
    steps jsonb NOT NULL
);

-- Compressed contents would only be compressed again; what is stored aside is read in full.
ALTER TABLE library_files ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE device_files ALTER COLUMN content SET STORAGE EXTERNAL;
