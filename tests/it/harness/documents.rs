//! The programmes of the shop with a past.

/// Points that wait and end, coins that end by inactivity, debt, and three qualifying wallets.
pub const ACME: &str = r#"
program = { name = "Acme", currency = "EUR", timezone = "Europe/Amsterdam" }
[wallets]
points = { kind = "redeemable", value = "0.01", pending = { after = "P14D" }, expiry = { after = "P6M", round = "end_of_month", restore_grace = "P30D" }, returns = "allow" }
coins = { kind = "redeemable", value = "0.10", expiry = { inactive = "P3M" }, returns = "within_balance" }
status = { kind = "qualifying", counts = "spend" }
collected = { kind = "qualifying", counts = "points", window = { rolling = "P4M" } }
visits = { kind = "qualifying", counts = "orders", window = "anniversary" }
[earning]
base = { wallet = "points", award = { per = "1.00", points = 3 } }
steps = { wallet = "coins", award = { per = "10.00", points = 2, step = true } }
more = { wallet = "points", award = { per = "3.00", points = 1 }, base = { net_of = [] }, budget = { money = "0.20", each = "P1M" } }
double = { wallet = "points", award = { multiply = "2" }, stack = "more", caps = { per_member = { points = 300, each = "P3M" } } }
half = { wallet = "points", award = { multiply = "1.5", of = "base" }, stack = "more" }
once = { wallet = "points", award = { points = 3 }, expiry = { after = "P2M" }, caps = { per_member = { awards = 2, each = "P1M" } } }
visit = { wallet = "points", award = { points = 5 }, caps = { per_member = { points = 30 } } }
[tiers]
wallet = "collected"
downgrade = { at = "when_below", to = "earned", grace = "P10D" }
ladder = [{ code = "bronze", from = "5" }, { code = "silver", from = "200", earn = "1.25" }, { code = "gold", from = "800", earn = "1.5" }]
"#;

/// The same shop, later: points can be spent at once and live shorter, and nobody owes any.
pub const ACME_LATER: &str = r#"
program = { name = "Acme", currency = "EUR", timezone = "Europe/Amsterdam" }
[wallets]
points = { kind = "redeemable", value = "0.02", expiry = { after = "P2M" }, returns = "within_balance" }
coins = { kind = "redeemable", by_hand = true, value = "0.10", expiry = { after = "P5M" }, returns = "pending_only" }
status = { kind = "qualifying", counts = "spend", window = "lifetime" }
collected = { kind = "qualifying", counts = "points", window = { rolling = "P2M" } }
visits = { kind = "qualifying", counts = "orders", window = "calendar_year" }
[earning]
base = { wallet = "points", award = { per = "1.00", points = 2 } }
visit = { wallet = "points", award = { points = 5 }, caps = { per_member = { points = 40 } }, budget = { points = 200 } }
[tiers]
wallet = "visits"
downgrade = { at = "period_end", to = "one_down", grace = "P30D" }
ladder = [{ code = "silver", from = "1" }, { code = "gold", from = "3" }, { code = "platinum", from = "5" }]
"#;

/// One wallet without an end, debt at once, and tiers that nobody loses.
pub const BEAN: &str = r#"
program = { name = "Bean", currency = "USD", timezone = "America/New_York" }
[wallets]
beans = { kind = "redeemable", value = "0.05", returns = "allow", transfer = { max = 100000, each = "P1Y" } }
bought = { kind = "qualifying", counts = "spend", window = { rolling = "P1Y" } }
[earning]
base = { award = { per = "2.00", points = 5, step = true } }
[tiers]
wallet = "bought"
downgrade = "never"
ladder = [{ code = "silver", from = "1.00" }, { code = "gold", from = "1000.00" }]
[rewards.mug]
cost = { points = 10 }
gives = { product = "mug", valid = "P1Y" }
limits = { stock = 1000, per_member = { uses = 20, each = "P1Y" } }
"#;
