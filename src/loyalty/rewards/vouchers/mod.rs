//! A voucher's life: issued, used, given back, cancelled, over.

pub mod cancel;
pub mod http;
pub mod look;
pub mod receipt;
pub mod reverse_use;
pub mod story;
pub mod use_voucher;
