-- What only Graph shows of alerts, incidents and evidence.
ALTER TABLE alerts
    ADD COLUMN IF NOT EXISTS custom_details jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN actor_name text,
    ADD COLUMN alert_policy_id text,
    ADD COLUMN additional_data jsonb,
    ADD COLUMN system_tags text[] NOT NULL DEFAULT '{}';

-- What belongs to the kind of evidence and has no column, by the names that Graph has for it; also verdict, roles, tags and remediation.
ALTER TABLE alert_evidence ADD COLUMN details jsonb;

-- Tags are those that people gave; the service's own stand apart.
ALTER TABLE incidents
    ADD COLUMN description text,
    ADD COLUMN summary text,
    ADD COLUMN resolving_comment text,
    ADD COLUMN last_modified_by text,
    ADD COLUMN system_tags text[] NOT NULL DEFAULT '{}';
