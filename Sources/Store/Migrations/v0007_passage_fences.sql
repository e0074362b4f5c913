-- Where a passage begins in the middle of fenced code, which its text does not tell.

ALTER TABLE passages
    -- The line that opened the code; null outside of code.
    ADD COLUMN fence text;

-- No file has this digest: at the next ingestion what is there already is read anew and gets its fences.
UPDATE documents SET digest = sha256(digest);
