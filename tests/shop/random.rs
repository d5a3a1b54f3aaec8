//! Pseudo-random numbers for tests, so that a failure can be reproduced from its seed.

/// A small generator of pseudo-random numbers (SplitMix64), with its state, at first the seed.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// Returns a number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number from 0 to `below` - 1.
    pub fn below(&mut self, below: usize) -> usize {
        (self.number() % below as u64) as usize
    }

    /// Returns true once in `one_in` times.
    pub fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    /// Picks one of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Picks some of these, at least one, in an order of its own.
    pub fn some<'a>(&mut self, of: &[&'a str]) -> Vec<&'a str> {
        let mut left = of.to_vec();
        let count = 1 + self.below(left.len());
        (0..count).map(|_| left.swap_remove(self.below(left.len()))).collect()
    }
}
