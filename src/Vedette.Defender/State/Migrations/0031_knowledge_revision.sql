-- The revision's row can be told from others, so that it can be made again where somebody emptied the table.
ALTER TABLE kb_state ADD COLUMN id int PRIMARY KEY DEFAULT 1;
-- Counts assessments; what is published is compared with it, because a clock may stand still.
ALTER TABLE tvm_state ADD COLUMN runs bigint NOT NULL DEFAULT 0;
