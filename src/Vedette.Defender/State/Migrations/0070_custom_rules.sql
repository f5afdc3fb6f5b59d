-- Detection rules that tenants make through the API. What may be filtered and listed has columns; the rule as the engine runs it is in body,
-- and the two forms in which the API shows what it does are made when it is written.
CREATE TABLE custom_rules (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    detector_id uuid NOT NULL,
    display_name text NOT NULL,
    description text,
    status text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    last_modified_by text NOT NULL,
    last_modified_at timestamptz NOT NULL,
    query_text text NOT NULL,
    query_modified_at timestamptz,
    -- Minutes between runs; 0 means continuously.
    frequency int NOT NULL,
    -- Minutes that a run looks back; null means what belongs to the frequency.
    look_back int,
    title text NOT NULL,
    body jsonb NOT NULL,
    action jsonb NOT NULL,
    action_beta jsonb NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX custom_rules_id ON custom_rules (tenant_id, lower(id));
CREATE UNIQUE INDEX custom_rules_name ON custom_rules (tenant_id, lower(display_name));
CREATE UNIQUE INDEX custom_rules_title ON custom_rules (tenant_id, lower(title));
CREATE UNIQUE INDEX custom_rules_detector ON custom_rules (tenant_id, detector_id);

-- Ids of rules whose makers name none.
CREATE SEQUENCE custom_rule_numbers START WITH 1001;

-- A number for each tenant that grows with every change of its rules, so that whoever keeps them in memory sees with one look that they changed.
CREATE TABLE custom_rule_changes (
    tenant_id uuid PRIMARY KEY,
    version bigint NOT NULL
);

CREATE FUNCTION note_rule_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO defender.custom_rule_changes AS known VALUES (coalesce(NEW.tenant_id, OLD.tenant_id), 1)
    ON CONFLICT (tenant_id) DO UPDATE SET version = known.version + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER custom_rules_change AFTER INSERT OR UPDATE OR DELETE ON custom_rules FOR EACH ROW EXECUTE FUNCTION note_rule_change();

-- What rules did to devices, files, users and messages. A row is written before the response is begun, so that a crash in between loses none;
-- the key keeps a repetition from doing it twice for one alert.
CREATE TABLE custom_rule_responses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    detector_id uuid NOT NULL,
    alert_id text NOT NULL,
    kind text NOT NULL,
    target text NOT NULL,
    subject jsonb NOT NULL,
    -- Pending, Succeeded (ordered or done) or Failed.
    status text NOT NULL,
    reason text,
    -- The machine action, indicator or investigation that came of it.
    reference text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    UNIQUE (tenant_id, detector_id, alert_id, target)
);
CREATE INDEX ON custom_rule_responses (tenant_id, detector_id, id DESC);

-- How the service names what went wrong in a run.
ALTER TABLE detection_runs ADD COLUMN error_code text;

-- Values that alerts show beside their evidence.
ALTER TABLE alerts ADD COLUMN custom_details jsonb NOT NULL DEFAULT '{}';
