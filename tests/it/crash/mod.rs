//! The ledger under fire: processes killed, connections cut, disks full, clocks that jump.

mod kills;
