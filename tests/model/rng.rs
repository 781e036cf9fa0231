//! A small seeded generator (SplitMix64): a sequence is its seed.

/// Random numbers that a seed fixes.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number of `from..=to`.
    pub fn within(&mut self, from: i64, to: i64) -> i64 {
        let span = u64::try_from(to - from).unwrap() + 1;
        from + i64::try_from(self.next() % span).unwrap()
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: i64) -> bool {
        self.within(1, 100) <= chance
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let place = self.within(0, i64::try_from(of.len()).unwrap() - 1);
        &of[usize::try_from(place).unwrap()]
    }
}
