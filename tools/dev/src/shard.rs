//! The partition that a row belongs to, where a list is spread over several.

/// Returns the shard of a row: FNV-1a (64 bits) of its id, modulo the number of shards (0 counts as
/// 1).
///
/// This function must never change, so that rows keep their shard in every version and every
/// language. FNV-1a starts with 14695981039346656037 and for each byte of UTF-8 does
/// `hash = (hash ^ byte) * 1099511628211`.
pub fn shard(id: &str, shards: u32) -> u32 {
    u32::try_from(fnv1a(id.as_bytes()) % u64::from(shards.max(1))).unwrap_or_default()
}

/// FNV-1a, 64 bits (draft-eastlake-fnv).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv1a() {
        // Test vectors of draft-eastlake-fnv.
        assert_eq!(fnv1a(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_F739_67E8);
    }

    #[test]
    fn shards_are_in_range_and_even() {
        assert_eq!(shard("a", 1), 0);
        assert_eq!(shard("a", 0), 0);
        for shards in [2_u32, 3, 8, 10] {
            let mut counts = vec![0_u32; shards as usize];
            for number in 0..10_000 {
                counts[shard(&format!("a-{number}"), shards) as usize] += 1;
            }
            let even = 10_000 / shards;
            assert!(
                counts.iter().all(|count| count.abs_diff(even) < even / 5),
                "{shards}: {counts:?}"
            );
        }
    }
}
