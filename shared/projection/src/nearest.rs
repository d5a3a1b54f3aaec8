//! "Did you mean …?"

/// A longer name is compared with nothing.
const MAX_BYTES: usize = 64;

/// Returns the candidate nearest to `name`, if one is near: two fifths of its letters may differ
/// (at least one), where an insertion, a removal, a replacement and an exchange of neighbours count
/// one each. Letter case does not count. Of equally near candidates the first is returned.
///
/// ```
/// use projection::nearest;
/// assert_eq!(nearest("LMIT", ["cursor", "limit"]), Some("limit"));
/// assert_eq!(nearest("size", ["cursor", "limit"]), None);
/// ```
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if name.len() > MAX_BYTES {
        return None;
    }
    let name = name.to_lowercase();
    let characters = name.chars().count();
    let near = candidates
        .into_iter()
        .map(|candidate| (candidate, (candidate.chars().count() * 2 / 5).max(1)));
    // The distance is at least the difference in length: that spares almost every comparison.
    near.filter(|(candidate, most)| candidate.chars().count().abs_diff(characters) <= *most)
        .map(|(candidate, most)| {
            (strsim::osa_distance(&name, &candidate.to_lowercase()), candidate, most)
        })
        .filter(|(distance, _, most)| distance <= most)
        .min_by_key(|(distance, ..)| *distance)
        .map(|(_, candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let known = ["id", "category", "limit", "minPrice"];
        for (name, expected) in [
            ("LIMIT", "limit"),
            ("lmit", "limit"),
            ("imt", "limit"),
            ("catgeroy", "category"),
            ("minprice", "minPrice"),
        ] {
            assert_eq!(nearest(name, known), Some(expected), "{name}");
        }
    }

    #[test]
    fn far_names_are_not() {
        let long = "category".repeat(9);
        for name in ["", "l", "é", "limits-of-all", "cat", "xxxxx", &long] {
            assert_eq!(nearest(name, ["id", "category", "limit"]), None, "{name}");
        }
    }

    #[test]
    fn a_name_of_64_bytes_is_compared_and_a_longer_one_is_not() {
        let known = "n".repeat(MAX_BYTES);
        let name = |length| format!("m{}", "n".repeat(length - 1));
        assert_eq!(nearest(&name(MAX_BYTES), [&*known]), Some(&*known));
        assert_eq!(nearest(&name(MAX_BYTES + 1), [&*known]), None);
        assert_eq!(nearest(&name(MAX_BYTES + 2), [&*known]), None);
    }

    #[test]
    fn the_first_of_equally_near_names_is_returned() {
        assert_eq!(nearest("abd", ["abc", "abe"]), Some("abc"));
    }
}
