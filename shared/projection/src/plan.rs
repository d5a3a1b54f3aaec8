//! A selection made ready for items: flat, with what is only picked up beside what is shown.
//!
//! DynamoDB sends an item's members in an order of its own, but mostly in the same one for each item of a page. So
//! each entry remembers which one came after it last time, and the next item's names are recognized by one comparison
//! of bytes each.

use crate::selection::Chosen;
use crate::{Field, Join, Kind, Raw, Selection};

/// How many names that nobody asked for are remembered, and of what length.
const MAX_PASSED: usize = 64;
const MAX_PASSED_NAME: usize = 64;

/// What an entry shows of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Scalars.
    Leaf,
    /// Scalars, and lists and sets of strings.
    Texts,
    /// Everything.
    Any,
    /// A map, by this level.
    Object(usize),
    /// A list of maps, by this level.
    Objects(usize),
    /// It is stepped over.
    Nothing,
}

/// Where an entry's value is while its object is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Empty,
    /// A string in the input, from quote to quote.
    Text {
        start: usize,
        end: usize,
        escaped: bool,
    },
    /// A number in the input, without its quotes.
    Number {
        start: usize,
        end: usize,
    },
    /// Binary in the input, from quote to quote.
    Binary {
        start: usize,
        end: usize,
    },
    /// `true`, `false` or `null`.
    Word(&'static str),
    /// JSON in the output already.
    Written {
        start: usize,
        end: usize,
    },
}

/// One member of an object that is shown or picked up.
#[derive(Debug)]
pub(crate) struct Entry {
    name: &'static str,
    /// `,"name":` among the labels.
    pub(crate) label: (usize, usize),
    pub(crate) shape: Shape,
    pub(crate) slot: Slot,
    /// The entry that came next in the last object.
    pub(crate) next: usize,
}

/// One object: its entries are neighbours, the shown ones first and in the model's order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    pub(crate) first: usize,
    pub(crate) shown: usize,
    pub(crate) end: usize,
    /// The entry that came first in the last object.
    pub(crate) start: usize,
    /// The entry of a join's key.
    pub(crate) key: Option<usize>,
}

#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) entries: Vec<Entry>,
    pub(crate) levels: Vec<Level>,
    labels: String,
    /// For each name that is picked, its entry at the top.
    pub(crate) picks: Vec<usize>,
    /// How many names that nobody asked for are remembered; their entries lie outside of all levels.
    passed: usize,
    /// The top entry of the joined list.
    pub(crate) joined: Option<usize>,
}

impl Plan {
    pub(crate) fn new(selection: &Selection, picks: &[&'static str], join: Option<Join>) -> Self {
        let mut plan = Self {
            entries: Vec::with_capacity(selection.fields.len() + picks.len()),
            labels: String::with_capacity(16 * (selection.fields.len() + picks.len())),
            ..Self::default()
        };
        plan.level(selection.fields, &selection.chosen, picks, join);
        let top = plan.levels[0];
        plan.picks = picks.iter().filter_map(|pick| plan.named(top, pick)).collect();
        plan
    }

    pub(crate) fn label(&self, entry: usize) -> &[u8] {
        let (start, end) = self.entries[entry].label;
        &self.labels.as_bytes()[start..end]
    }

    /// The entries of a level, and all labels.
    pub(crate) fn parts(&mut self, level: Level) -> (&mut [Entry], &[u8]) {
        (&mut self.entries[level.first..level.end], self.labels.as_bytes())
    }

    /// Remembers a name that nobody asked for, so that it too is recognized where it comes again.
    pub(crate) fn pass(&mut self, name: Raw<'_>) -> Option<usize> {
        let index = self.entries.len();
        let text = std::str::from_utf8(name.bytes()).ok()?;
        if self.passed == MAX_PASSED || text.len() > MAX_PASSED_NAME {
            return None;
        }
        self.passed += 1;
        let start = self.labels.len();
        self.labels.extend([",\"", text, "\":"]);
        self.add("", start, Shape::Nothing);
        Some(index)
    }

    pub(crate) fn find(&self, level: Level, name: Raw<'_>) -> Option<usize> {
        (level.first..level.end).find(|entry| name.is(self.entries[*entry].name))
    }

    fn named(&self, level: Level, name: &str) -> Option<usize> {
        (level.first..level.end).find(|entry| self.entries[*entry].name == name)
    }

    /// Lays out a level and those below it; `also` is picked up without being shown. A join is for the top only.
    fn level(&mut self, fields: &'static [Field], chosen: &Chosen, also: &[&'static str], join: Option<Join>) -> usize {
        let index = self.levels.len();
        let first = self.entries.len();
        for (field, _) in chosen.walk(fields) {
            let shape = if field.kind == Kind::Texts { Shape::Texts } else { Shape::Leaf };
            self.entry(field.name, if field.kind == Kind::Any { Shape::Any } else { shape });
        }
        let mut level = Level { first, shown: self.entries.len(), end: self.entries.len(), start: first, key: None };
        self.levels.push(level);
        for name in also {
            if self.named(level, name).is_none() {
                self.entry(name, Shape::Leaf);
                level.end += 1;
                self.levels[index] = level;
            }
        }
        for (at, (field, below)) in chosen.walk(fields).enumerate() {
            let join = join.filter(|join| join.list == field.name);
            let shape = match (field.kind, join) {
                (Kind::Object(members), _) => Shape::Object(self.level(members, below, &[], None)),
                (Kind::Objects(members), Some(join)) => {
                    let level = self.level(members, below, &[join.key], None);
                    self.levels[level].key = self.named(self.levels[level], join.key);
                    self.joined = Some(first + at);
                    Shape::Objects(level)
                }
                (Kind::Objects(members), None) => Shape::Objects(self.level(members, below, &[], None)),
                _ => continue,
            };
            self.entries[first + at].shape = shape;
        }
        index
    }

    fn entry(&mut self, name: &'static str, shape: Shape) {
        let start = self.labels.len();
        self.labels.push_str(",\"");
        if name.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
            self.labels.push_str(name);
        } else {
            self.escape(name);
        }
        self.labels.push_str("\":");
        self.add(name, start, shape);
    }

    /// Adds an entry whose label starts there. Nothing is known yet of what follows it.
    fn add(&mut self, name: &'static str, start: usize, shape: Shape) {
        let label = (start, self.labels.len());
        self.entries.push(Entry { name, label, shape, slot: Slot::Empty, next: usize::MAX });
    }

    #[cold]
    fn escape(&mut self, name: &str) {
        for character in name.chars() {
            match character {
                '"' | '\\' => self.labels.extend(['\\', character]),
                '\0'..' ' => self.labels.push_str(&format!("\\u{:04x}", u32::from(character))),
                _ => self.labels.push(character),
            }
        }
    }
}
