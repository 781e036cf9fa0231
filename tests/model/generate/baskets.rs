//! Random baskets, most of which can be paid.

use crate::command::{Basket, Line, Taxed};
use crate::generate::Generator;
use crate::naive::Naive;
use crate::naive::discounts::When;
use crate::naive::price::price;
use crate::naive::wallets::{MOST, Member};
use crate::spec::{CATEGORIES, CODES, DISCOUNTS, Purse};

impl Generator {
    pub fn basket(&mut self, model: &Naive<'_>, member: u32, (from, stated): (&str, bool), when: When) -> Basket {
        let taxed = *self.rng.pick(&[Taxed::Included, Taxed::Included, Taxed::OnTop, Taxed::Not]);
        let lines = (0..self.rng.within(1, 4)).map(|_| self.line(taxed)).collect();
        let mut basket =
            Basket { taxed, lines, off: Vec::new(), named: Vec::new(), points: 0, gift: 0, total: None, twice: false };
        if self.rng.percent(30) {
            for (i, line) in basket.lines.iter().enumerate() {
                basket.off.push((i, self.rng.within(0, line.amount / 2)));
            }
        }
        if self.rng.percent(50) {
            self.discounts(model, member, &mut basket, when);
        }
        let wallet = model.wallet(from).unwrap_or(0);
        let value = match model.spec.versions[0].purses[wallet] {
            Purse::Points { value, .. } => value,
            Purse::Counter { .. } => (1, 1),
        };
        let Ok(priced) = price(&basket, 0, value, false) else { return basket };
        let there = model.members.get(&member).map_or(0, |m| m.spendable(wallet));
        let room = priced.products * value.1 / value.0;
        basket.points = match self.rng.within(1, 100) {
            1..=30 if stated => self.rng.within(0, room),
            1..=30 => self.rng.within(0, there.min(room)),
            31..=38 => there.min(room),
            39..=40 => (there + 1).min(MOST),
            41 => room + 2,
            _ => 0,
        };
        if self.rng.percent(10) {
            basket.gift = self.rng.within(0, priced.products / 3 + priced.shipping);
        }
        if self.rng.percent(20) {
            basket.total = Some(priced.products + priced.shipping + i64::from(self.rng.percent(5)));
        }
        if self.rng.percent(4) {
            self.spoil(&mut basket);
        }
        basket
    }

    /// What a quote gives, mostly; of some stacks nothing, and now and then something else.
    fn discounts(&mut self, model: &Naive<'_>, member: u32, basket: &mut Basket, when: When) {
        let nobody = Member::new(when.now, when.day, CODES.len());
        let all = self.rng.percent(60);
        let state = model.members.get(&member).unwrap_or(&nobody);
        basket.named = model.quote(basket, state, when, || all || self.rng.percent(60));
        let places = basket.lines.len();
        let place = usize::try_from(self.rng.within(0, i64::try_from(places).unwrap() - 1)).unwrap();
        match self.rng.within(1, 40) {
            1 => {
                let mut off = vec![0; places];
                off[place] = self.rng.within(0, basket.lines[place].amount);
                let code: &&str = self.rng.pick(&DISCOUNTS);
                basket.named.push((code, off));
            }
            2 if !basket.named.is_empty() => basket.named.push(basket.named[0].clone()),
            3 => basket.named.iter_mut().take(1).for_each(|named| named.1[place] += 1),
            4 => basket.named.reverse(),
            _ => {}
        }
    }

    fn line(&mut self, taxed: Taxed) -> Line {
        let amount = match self.rng.within(1, 20) {
            1 => 0,
            2..=8 => self.rng.within(1, 600),
            _ => self.rng.within(100, 20_000),
        };
        let (mut rate, mut tax) = (None, None);
        if taxed != Taxed::Not {
            match self.rng.within(1, 10) {
                1..=6 => rate = Some(*self.rng.pick(&[210, 90, 55, 0])),
                7..=8 => tax = Some(self.rng.within(0, amount / 4)),
                _ => {}
            }
        }
        let quantity = u32::try_from(self.rng.within(1, 5)).unwrap();
        let product = self.rng.percent(85);
        let category = (product && self.rng.percent(75)).then(|| *self.rng.pick(&CATEGORIES));
        Line { product, category, quantity, amount, rate, tax }
    }

    fn spoil(&mut self, basket: &mut Basket) {
        let line = &mut basket.lines[0];
        match self.rng.within(1, 9) {
            1 => basket.lines.clear(),
            2 => basket.twice = true,
            3 => line.quantity = 0,
            4 => basket.off.push((9, 1)),
            5 => basket.off.push((0, line.amount + 1)),
            6 => (line.rate, line.tax) = (None, Some(line.amount + 1)),
            7 => line.rate = Some(1_001),
            8 => (basket.taxed, line.rate) = (Taxed::Not, Some(210)),
            _ => basket.gift = 1_000_000,
        }
    }
}
