-- (c) Accruals set-based, :n of them one commit. Copied from the reference: see schema.sql.
select accrue_batch(array_agg(1+floor(random()*:members)::bigint), array_agg('ord-'||(random()*1e15)::bigint), array_agg(1+floor(random()*500)::bigint)) from generate_series(1,:n);
