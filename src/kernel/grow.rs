//! Running counts and sums that stop at the ends of their range, instead of going round or stopping the program.

/// A figure that is counted up and down. For what cannot get there in a sound database, or is compared with a figure
/// that is in range: what decides adds with `plus`, and refuses.
pub trait Grow {
    /// Adds to it.
    fn grow(&mut self, by: Self);
    /// Takes from it.
    fn shrink(&mut self, by: Self);
}

macro_rules! grow {
    ($($number:ty)*) => { $(
        impl Grow for $number {
            fn grow(&mut self, by: Self) {
                *self = self.saturating_add(by);
            }

            fn shrink(&mut self, by: Self) {
                *self = self.saturating_sub(by);
            }
        }
    )* };
}

grow! { i32 i64 u32 u64 usize }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_stops_at_the_ends_of_its_range() {
        let (mut most, mut least, mut some) = (i64::MAX, 0_u64, 1_i32);
        most.grow(1);
        least.shrink(1);
        some.grow(2);
        some.shrink(5);
        assert_eq!((most, least, some), (i64::MAX, 0, -2));
    }
}
