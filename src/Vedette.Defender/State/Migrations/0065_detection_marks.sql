-- Continuous rules go together: one mark for each tenant tells up to which time of arrival all rules that follow it have looked. A rule that is new,
-- changed, failing or switched off has its own mark until it has caught up.
CREATE TABLE detection_marks (
    tenant_id uuid PRIMARY KEY,
    seen_until_ticks bigint NOT NULL
);
ALTER TABLE detection_progress ADD COLUMN follows boolean NOT NULL DEFAULT false;
