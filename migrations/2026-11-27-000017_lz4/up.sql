-- Under many rules a receipt is longer than a page's quarter, and Postgres compresses it: lz4 takes a third of the time of
-- what it does otherwise. A server that was built without it goes on as it is.
DO $$
BEGIN
    ALTER TABLE postings ALTER COLUMN document SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this server has no lz4';
END
$$;
