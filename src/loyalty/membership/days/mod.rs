//! Days that come by themselves: birthdays, and anniversaries of the enrolment.

pub mod jobs;
pub mod store;
pub mod yearly;
