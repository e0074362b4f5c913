-- Where a passage begins in the middle of fenced code or of a table, which its text does not tell.

ALTER TABLE passages
    -- The lines above it without which it cannot be read: the one that opened the code, or the table's headings with
    -- the rule below them. Null elsewhere.
    ADD COLUMN opening text;

-- No file has this digest: at the next ingestion what is there already is read anew and gets its openings.
UPDATE documents SET digest = sha256(digest);
