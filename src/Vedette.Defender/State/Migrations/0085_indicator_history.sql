-- Indicators that count for the past, too, whose past has not been searched yet.
ALTER TABLE indicators ADD COLUMN history_due boolean NOT NULL DEFAULT false;
CREATE INDEX indicators_history ON indicators (tenant_id) WHERE history_due;
