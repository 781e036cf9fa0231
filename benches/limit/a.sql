-- (a) One durable commit per accrual, seven statements. Copied from the reference: see schema.sql.
\set m random(1, :members)
\set r random(1, 1000000000000000)
\set amt random(1, 500)
begin;
insert into orders(member_id,order_ref,amount) values(:m,'ord-'||:r,:amt) on conflict do nothing;
update wallets set balance=balance+:amt, seq=seq+1 where member_id=:m returning seq as s, balance as b \gset
insert into ledger_entries(member_id,seq,kind,amount,balance_after,order_ref) values(:m,:s,1,:amt,:b,'ord-'||:r);
insert into lots values(:m, current_date+365, :s, :amt, :amt);
insert into outbox(member_id,topic,payload) values(:m,'points.earned','ord-'||:r);
commit;
