//! The laws of the ledger, each broken by hand.

use crate::harness::{Dice, Shop, verify};

#[tokio::test]
async fn a_ledger_that_only_the_engine_wrote_breaks_no_law() {
    let seed = 7;
    let shop = Shop::with_past(&mut Dice::new(seed), 12, 14).await;
    let report = verify(&shop.test.db).await;
    assert_eq!(report.members, 24);
    println!("{report:?}");
}
