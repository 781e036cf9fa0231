//! What comes off the price: which discounts apply, what they take off which lines, and whether an order had what it says.

pub mod asked;
pub mod best;
pub mod checked;
pub mod off;

#[cfg(test)]
mod tests;
