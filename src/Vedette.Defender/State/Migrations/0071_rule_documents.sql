-- The forms in which the API shows what a rule does keep the order of their properties.
ALTER TABLE custom_rules ALTER COLUMN action TYPE json USING action::json, ALTER COLUMN action_beta TYPE json USING action_beta::json;
