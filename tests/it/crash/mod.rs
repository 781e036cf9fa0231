//! The ledger under fire: processes killed, connections cut, disks full, clocks that jump, commands that break.

mod batch;
mod call;
mod clock;
mod crowd;
mod cut;
mod disk;
mod follower;
mod kills;
mod kind;
mod poison;
mod reckoning;
mod record;
mod stand;
mod storefront;
