//! The caller, as a key of the store.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::policy::Policy;

/// A caller under one policy: the first 128 bits of SHA-256 of the policy's name and the caller's
/// identity.
///
/// [`Display`](fmt::Display) writes 22 characters of base64url. The store therefore holds no
/// subject and no address. It is no secret: whoever can guess an identity can compute its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Caller([u8; 16]);

impl Policy {
    /// Returns the caller with this identity, such as the subject of a token. The same identity
    /// under a policy of another name is another caller.
    #[must_use]
    pub fn caller(&self, identity: &str) -> Caller {
        // A name has no such byte, so no two pairs are hashed as the same bytes.
        let hash =
            Sha256::new().chain_update(self.name()).chain_update([0_u8]).chain_update(identity);
        let mut key = [0; 16];
        key.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        Caller(key)
    }
}

impl Caller {
    /// Returns 0, 1 or 2: the seconds by which this caller waits longer, so that not all refused
    /// callers come back at once.
    pub(crate) fn spread(self) -> u32 {
        u32::from(self.0[0] % 3)
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_22_characters_that_depend_on_policy_and_identity() {
        let policy = |name| Policy::new(name, 1, 1).unwrap();
        let a = policy("caller").caller("u-1");
        assert_eq!(a.to_string().len(), 22);
        // From another implementation: printf 'caller\0u-1' | sha256sum
        assert_eq!(a.to_string(), GOLDEN);
        assert_ne!(a, policy("caller").caller("u-2"));
        assert_ne!(a, policy("service").caller("u-1"));
        assert_ne!(policy("a").caller("bc"), policy("ab").caller("c"));
    }

    #[test]
    fn callers_are_spread_over_three_seconds() {
        let policy = Policy::new("caller", 1, 1).unwrap();
        let mut seen = [0; 3];
        for i in 0..3_000 {
            seen[policy.caller(&format!("u-{i}")).spread() as usize] += 1;
        }
        assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
    }

    const GOLDEN: &str = "cPWjgxkz1WQ5NrpbhvnIpQ";
}
