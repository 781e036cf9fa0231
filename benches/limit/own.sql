-- (a') The rows of an ordinary order of Perennial, with one commit each: what a server would do that did not group.
-- The account is locked itself, as with the lane's lock only one commit a lane could be under way; the journal row that
-- Perennial writes for each group is left out for the same reason. So this is the best that one commit an order can do.
-- `bench_members` numbers the accounts; a text of `:document_bytes` stands for the document.
\set m random(1, :members)
\set r random(1, 1000000000000000)
\set amt random(1, 500)
begin;
select a.lane, a.member_id, a.program_id, a.seq + 1 as seq from bench_members as b join accounts as a using (lane, member_id) where b.number = :m for update of a \gset
select count(*) as seen from directory where program_id = :program_id::uuid and kind = 1 and value = 'order:' || 'own-' || :r::text \gset
update accounts set seq = :seq, moved_at = clock_timestamp(), order_count = order_count + 1, last_order_on = current_date, figures[1] = figures[1] + :amt, figures[5] = figures[5] + :amt, lot_ids = lot_ids || ((:seq::bigint * 256)), lot_wallets = lot_wallets || 0::smallint, lot_remaining = lot_remaining || :amt::bigint, lot_available_at = lot_available_at || null::timestamptz, lot_expires_on = lot_expires_on || current_date + 365 where lane = :lane and member_id = :member_id::uuid;
insert into postings (lane, member_id, seq, reference, kind, hash, effective_at, recorded_at, version, cause, imported, paid, currency, items, orders, entries, move_lots, moves, document) values (:lane, :member_id::uuid, :seq, 'order:' || 'own-' || :r::text, 2, '\x00112233445566778899aabbccddeeff', clock_timestamp(), clock_timestamp(), 1, 'key-0123456789abcdef', false, 110.84, 'EUR', 4, 1, array[1, 0, :amt, :amt, 9223372036854775807, current_date - '0001-01-01'::date + 366, 1, 1, 9160, 9160, 9223372036854775807, current_date - '0001-01-01'::date + 41]::bigint[], array[(:seq::bigint * 256), (:seq::bigint * 256) + 1], array[0, :amt, 1, 9160]::bigint[], repeat('x', :document_bytes));
insert into directory (program_id, kind, value, lane, member_id, seq) values (:program_id::uuid, 1, 'order:' || 'own-' || :r::text, :lane, :member_id::uuid, :seq);
commit;
