-- What any durable loyalty ledger has to do at least: an order, a balance, an entry, a lot, a message to others.
-- A copy of the reference that the project's goals are stated against (its limit.sh, scenarios (a) and (c)); tables and
-- statements are as there. They stay as they are: a change would move the goal.
create table members(member_id bigint primary key, created_at timestamptz not null default now());
create table wallets(member_id bigint primary key, balance bigint not null default 0 check (balance>=0),
  seq bigint not null default 0) with (fillfactor=60);
create table orders(member_id bigint not null, order_ref text not null, seq bigint, amount bigint not null,
  created_at timestamptz not null default now(), primary key(member_id, order_ref));
create table ledger_entries(member_id bigint not null, seq bigint not null, kind smallint not null, amount bigint not null,
  balance_after bigint, order_ref text, created_at timestamptz not null default now(), primary key(member_id, seq));
create table lots(member_id bigint not null, expires_on date not null, lot_id bigint not null, earned bigint not null,
  remaining bigint not null check (remaining>=0), primary key(member_id, expires_on, lot_id)) with (fillfactor=80);
create table lot_uses(member_id bigint not null, seq bigint not null, lot_id bigint not null, expires_on date not null,
  amount bigint not null, primary key(member_id, seq, lot_id));
create table outbox(id bigint generated always as identity primary key, member_id bigint not null, topic text not null, payload text not null);

-- (c) N accruals, one round trip, one commit; wallets locked in member order => deadlock free;
-- duplicates of a member inside the batch are handled with window sums
create or replace function accrue_batch(ms bigint[], refs text[], amts bigint[]) returns int language plpgsql as $$
declare n int;
begin
  perform 1 from wallets where member_id = any(ms) order by member_id for update;   -- fresh snapshot after this
  with inp as (select m,ref,amt,ord from unnest(ms,refs,amts) with ordinality t(m,ref,amt,ord)),
  o as (insert into orders(member_id,order_ref,amount) select m,ref,amt from inp on conflict do nothing returning member_id,order_ref,amount),
  r as (select member_id m, order_ref ref, amount amt,
          row_number() over w rn, sum(amount) over w cum from o window w as (partition by member_id order by order_ref)),
  d as (select m, sum(amt) total, count(*) n from r group by m),
  w as (update wallets set balance=balance+d.total, seq=seq+d.n from d where wallets.member_id=d.m
        returning wallets.member_id m, balance-d.total b0, seq-d.n s0),
  e as (insert into ledger_entries(member_id,seq,kind,amount,balance_after,order_ref)
        select r.m, w.s0+r.rn, 1, r.amt, w.b0+r.cum, r.ref from r join w using(m) returning member_id,seq,amount,order_ref),
  l as (insert into lots select member_id, current_date+365, seq, amount, amount from e),
  x as (insert into outbox(member_id,topic,payload) select member_id,'points.earned',order_ref from e)
  select count(*) into n from r;
  return n;
end $$;

insert into members(member_id) select g from generate_series(1,:members) g;
