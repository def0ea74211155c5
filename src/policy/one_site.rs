//! Addresses that one host can pick among.

use std::net::IpAddr;

/// The address that limits are counted by: an IPv6 host can pick any address of its /64, so the network counts.
pub fn of_one_site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}
