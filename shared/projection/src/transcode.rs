//! DynamoDB's JSON into plain JSON, in one pass over the bytes.
//!
//! Each member of an object is recognized and its value's place remembered: a scalar's in the input, where it is copied
//! from as it stands; anything larger is written to the output at once. When the object ends, its members are put into
//! the model's order: for an object of scalars that is its one copy, for another one move more. So the same item always
//! gives the same bytes, whatever order it came in.
//!
//! Only what is declared ever shows. A value that is not of the declared kind cannot be trimmed to its declared
//! members, so it is left out.

use crate::number::is_number;
use crate::pick::{Scalar, Taken};
use crate::plan::{Level, Plan, Shape, Slot};
use crate::value::{self, Type, deeper};
use crate::{Join, Joint, Malformed, Raw, Scan, Selection, string};

/// Writes items as the JSON of a selection. Made once a request; allocates nothing for an item of ordinary members.
///
/// - Members come in the model's order at every level; absent ones are left out.
/// - Strings keep the escapes that they came with, numbers all their digits; binary is its base64 text; null is `null`.
/// - Sets come sorted (strings and base64 texts by their bytes, numbers by value), and so do the members of maps below
///   a [`Kind::Any`](crate::Kind::Any).
/// - Where an [`Object`](crate::Kind::Object) or [`Objects`](crate::Kind::Objects) is declared and something else
///   comes, it is left out; so are elements of `Objects` that are no maps, elements of
///   [`Texts`](crate::Kind::Texts) that are no strings, and maps, lists and sets where a scalar is declared. A scalar
///   of another type than declared is shown as it is.
/// - Of two members with one name the first stays.
#[derive(Debug)]
pub struct Transcoder {
    plan: Plan,
}

impl Transcoder {
    /// Plans for this selection. `picks` are top-level attributes whose scalars are reported whether or not they are
    /// chosen; `join`, if its list is chosen, has the places in the list's elements reported.
    pub fn new(selection: &Selection, picks: &[&'static str], join: Option<Join>) -> Self {
        Self { plan: Plan::new(selection, picks, join) }
    }

    /// Reads one item (`{"name":{"S":"…"},…}`) and appends its JSON object to `out`.
    ///
    /// `taken.picks` are then this item's; the joints of its elements are added to `taken.joints`, with offsets in
    /// `out`.
    ///
    /// # Errors
    ///
    /// If the bytes are not an item, where they are looked at: a number that is no JSON number, a string that is not
    /// valid, an attribute that nests deeper than 40 levels. `out` and `taken.joints` are then as they were, and the
    /// scanner stands where it failed.
    pub fn item<'a>(&mut self, scan: &mut Scan<'a>, taken: &mut Taken<'a>, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let (base, mark) = (out.len(), taken.joints.len());
        taken.picks.clear();
        let top = self.plan.levels[0];
        match self.read(0, 0, scan, &mut taken.joints, out) {
            Ok(()) => {
                taken.picks.extend(self.plan.picks.iter().map(|entry| self.scalar(*entry, scan.bytes)));
                self.write(top, base, scan.bytes, out, &mut taken.joints[mark..]);
                Ok(())
            }
            Err(malformed) => {
                out.truncate(base);
                taken.joints.truncate(mark);
                taken.picks.resize(self.plan.picks.len(), None);
                for entry in &mut self.plan.entries {
                    entry.slot = Slot::Empty;
                }
                Err(malformed)
            }
        }
    }

    /// Reads an object's members into the slots of its level.
    fn read(
        &mut self,
        level: usize,
        depth: usize,
        scan: &mut Scan<'_>,
        joints: &mut Vec<Joint>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let bounds = self.plan.levels[level];
        let mut members = scan.object()?;
        let mut guess = bounds.start;
        let mut previous: Option<usize> = None;
        loop {
            let first = usize::from(members.at_first());
            let found = if guess < self.plan.entries.len() && scan.passes(&self.plan.label(guess)[first..]) {
                members.passed();
                guess
            } else {
                let Some(name) = members.next(scan)? else { return Ok(()) };
                let Some(found) = self.plan.find(bounds, name).or_else(|| self.plan.pass(name)) else {
                    value::skip(scan)?;
                    continue;
                };
                match previous {
                    None => self.plan.levels[level].start = found,
                    Some(previous) => self.plan.entries[previous].next = found,
                }
                found
            };
            previous = Some(found);
            let entry = &mut self.plan.entries[found];
            guess = entry.next;
            let shape = entry.shape;
            if shape == Shape::Nothing || entry.slot != Slot::Empty {
                value::skip(scan)?;
            } else if let (Shape::Leaf | Shape::Texts | Shape::Any, Some((slot, end))) = (shape, scalar(scan)) {
                entry.slot = slot;
                scan.at = end;
            } else {
                let slot = self.value(shape, depth, scan, joints, out)?;
                self.plan.entries[found].slot = slot;
            }
        }
    }

    /// Reads an attribute value of this shape; [`Slot::Empty`] if it is not to be shown.
    fn value(
        &mut self,
        shape: Shape,
        depth: usize,
        scan: &mut Scan<'_>,
        joints: &mut Vec<Joint>,
        out: &mut Vec<u8>,
    ) -> Result<Slot, Malformed> {
        let kind = Type::read(scan)?;
        let start = out.len();
        let slot = match (shape, kind) {
            (Shape::Leaf | Shape::Texts | Shape::Any, Type::Text) => {
                let Raw { bytes, escaped } = scan.string()?;
                Slot::Text { start: scan.at - bytes.len() - 2, end: scan.at, escaped }
            }
            (Shape::Leaf | Shape::Texts | Shape::Any, Type::Number) => {
                let number = value::number(scan)?;
                Slot::Number { start: scan.at - number.bytes().len() - 1, end: scan.at - 1 }
            }
            (Shape::Leaf | Shape::Texts | Shape::Any, Type::Binary) => {
                let length = scan.string()?.bytes().len();
                Slot::Binary { start: scan.at - length - 2, end: scan.at }
            }
            (Shape::Leaf | Shape::Texts | Shape::Any, Type::Boolean) => Slot::Word(if scan.boolean()? { "true" } else { "false" }),
            (Shape::Leaf | Shape::Texts | Shape::Any, Type::Null) => {
                scan.boolean()?;
                Slot::Word("null")
            }
            (Shape::Texts, Type::List) => {
                value::write_texts(scan, out)?;
                Slot::Written { start, end: out.len() }
            }
            (Shape::Any, _) | (Shape::Texts, Type::Texts) => {
                value::write(kind, scan, depth, out)?;
                Slot::Written { start, end: out.len() }
            }
            (Shape::Object(level), Type::Map) => {
                self.object(level, deeper(scan, depth)?, scan, joints, out)?;
                Slot::Written { start, end: out.len() }
            }
            (Shape::Objects(level), Type::List) => {
                self.objects(level, deeper(scan, depth)?, scan, joints, out)?;
                Slot::Written { start, end: out.len() }
            }
            _ => {
                scan.skip()?;
                Slot::Empty
            }
        };
        Type::close(scan)?;
        Ok(slot)
    }

    fn object(
        &mut self,
        level: usize,
        depth: usize,
        scan: &mut Scan<'_>,
        joints: &mut Vec<Joint>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let base = out.len();
        self.read(level, depth, scan, joints, out)?;
        let bounds = self.plan.levels[level];
        let key = bounds.key.and_then(|entry| self.scalar(entry, scan.bytes));
        self.write(bounds, base, scan.bytes, out, &mut []);
        if let Some(key) = key {
            joints.push(Joint { at: out.len() - 1, first: out.len() - base == 2, key: key.as_str().to_owned() });
        }
        Ok(())
    }

    fn objects(
        &mut self,
        level: usize,
        depth: usize,
        scan: &mut Scan<'_>,
        joints: &mut Vec<Joint>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let depth = deeper(scan, depth)?;
        let mut elements = scan.array()?;
        out.push(b'[');
        let mut some = false;
        while elements.next(scan)? {
            if Type::read(scan)? == Type::Map {
                if std::mem::replace(&mut some, true) {
                    out.push(b',');
                }
                self.object(level, depth, scan, joints, out)?;
            } else {
                scan.skip()?;
            }
            Type::close(scan)?;
        }
        out.push(b']');
        Ok(())
    }

    /// Writes the object whose slots are filled, over what its reading wrote from `base` on, and empties the slots.
    fn write(&mut self, level: Level, base: usize, input: &[u8], out: &mut Vec<u8>, joints: &mut [Joint]) {
        let assembled = out.len();
        let joined = self.plan.joined.filter(|joined| (level.first..level.shown).contains(joined));
        let joined = joined.map(|joined| joined - level.first);
        let (entries, labels) = self.plan.parts(level);
        let mut skip = 1;
        out.push(b'{');
        for (index, entry) in entries.iter_mut().enumerate() {
            let slot = std::mem::replace(&mut entry.slot, Slot::Empty);
            if slot == Slot::Empty || index >= level.shown - level.first {
                continue;
            }
            out.extend_from_slice(&labels[entry.label.0 + skip..entry.label.1]);
            skip = 0;
            match slot {
                Slot::Empty => {}
                Slot::Text { start, end, .. } | Slot::Number { start, end } | Slot::Binary { start, end } => {
                    out.extend_from_slice(&input[start..end]);
                }
                Slot::Word(word) => out.extend_from_slice(word.as_bytes()),
                Slot::Written { start, end } => {
                    if joined == Some(index) {
                        let moved = base + (out.len() - assembled);
                        joints.iter_mut().for_each(|joint| joint.at = joint.at - start + moved);
                    }
                    out.extend_from_within(start..end);
                }
            }
        }
        out.push(b'}');
        if assembled > base {
            out.copy_within(assembled.., base);
            out.truncate(base + out.len() - assembled);
        }
    }

    fn scalar<'a>(&self, entry: usize, input: &'a [u8]) -> Option<Scalar<'a>> {
        match self.plan.entries[entry].slot {
            Slot::Text { start, end, escaped } => {
                let raw = Raw { bytes: input.get(start + 1..end - 1)?, escaped };
                raw.text().ok().map(Scalar::Text)
            }
            Slot::Number { start, end } => {
                let raw = Raw { bytes: input.get(start..end)?, escaped: false };
                raw.text().ok().map(Scalar::Number)
            }
            _ => None,
        }
    }
}

/// The string or number that comes next and where it ends, if it is spelled as DynamoDB spells it and needs no second
/// look: most values are.
#[inline]
fn scalar(scan: &Scan<'_>) -> Option<(Slot, usize)> {
    const FRAME: u64 = u64::from_le_bytes(*b"{\"\0\":\"\0\0");
    const MASK: u64 = u64::from_le_bytes([255, 255, 0, 255, 255, 255, 0, 0]);
    let head = scan.bytes.get(scan.at..)?.first_chunk::<8>()?;
    if u64::from_le_bytes(*head) & MASK != FRAME {
        return None;
    }
    let start = scan.at + 6;
    let end = string::plain(scan.bytes, start);
    let slot = match (head[2], scan.bytes.get(end..)?) {
        (b'S', [b'"', b'}', ..]) => Slot::Text { start: start - 1, end: end + 1, escaped: false },
        (b'N', [b'"', b'}', ..]) if is_number(scan.bytes.get(start..end)?) => Slot::Number { start, end },
        _ => return None,
    };
    Some((slot, end + 2))
}
