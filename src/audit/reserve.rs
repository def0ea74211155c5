//! What of a disk is kept for the records of operations. Others, of refusals and of who reads, are put off while no more
//! than that is free.

use std::path::Path;

/// One byte in so many of the disk is kept,
const RESERVED: u64 = 20;
/// but not more than this.
const MOST_RESERVED: u64 = 1 << 30;

/// Whether the file system of a folder has more free than is kept. One that cannot be asked will be heard of by whoever
/// writes to it. Waits for the disk.
pub fn disk_has_room(directory: &Path) -> bool {
    let Ok(system) = rustix::fs::statvfs(directory) else { return true };
    let bytes = |blocks: u64| blocks.saturating_mul(system.f_frsize);
    is_more_than_reserved(bytes(system.f_bavail), bytes(system.f_blocks))
}

fn is_more_than_reserved(available: u64, whole: u64) -> bool {
    available > (whole / RESERVED).min(MOST_RESERVED)
}

#[cfg(test)]
mod tests {
    use super::{disk_has_room, is_more_than_reserved};

    #[test]
    fn the_last_of_a_disk_is_for_other_records() {
        assert!(!is_more_than_reserved(50, 1_000) && is_more_than_reserved(51, 1_000));
        assert!(!is_more_than_reserved(1 << 30, 1 << 50) && is_more_than_reserved((1 << 30) + 1, 1 << 50));
        assert!(disk_has_room("/no/such/directory".as_ref()));
    }
}
