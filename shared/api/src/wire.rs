//! DynamoDB's response envelopes, read once: rows through the transcoder, keys into positions, the rest stepped over.

use bytes::Bytes;
use pagination::{Answer, Fetched, Position, Row, Value};
use projection::{Joint, Malformed, Raw, Scalar, Scan, Taken, Transcoder};

/// An item as answers hold it: its JSON, and where an expansion can be put into it.
#[derive(Debug, Clone, Default)]
pub struct Item {
    /// The JSON of the chosen fields.
    pub json: Bytes,
    /// Places in `json` for the members of an expansion.
    pub joints: Vec<Joint>,
    /// The text of the field that says when the item was last changed, where that was asked for.
    pub modified: Option<String>,
}

const NO_POSITION: Malformed = Malformed { position: 0, expected: "the key attributes of the index" };

/// An envelope's content, and the capacity units that it says it cost.
pub(crate) struct Metered<T> {
    pub(crate) content: T,
    pub(crate) units: f64,
}

/// The first two attributes that a transcoder of a list picks out are the index's `sort` and `id`.
pub(crate) fn query(body: &[u8], transcoder: &mut Transcoder, (sort, id): (&str, &str)) -> Result<Metered<Answer<Item>>, Malformed> {
    let mut scan = Scan::new(body);
    let mut answer = Answer { rows: Vec::new(), evaluated: 0, last: None };
    let mut units = 0.0;
    let mut written = Written::default();
    let mut members = scan.object()?;
    while let Some(name) = members.next(&mut scan)? {
        if name.is("Items") {
            let mut items = scan.array()?;
            while items.next(&mut scan)? {
                let mut picks = written.item(&mut scan, transcoder)?.drain(..2);
                let (Some(Some(sort)), Some(Some(id))) = (picks.next(), picks.next()) else { return Err(NO_POSITION) };
                let position = Position { sort: value(sort), id: value(id) };
                answer.rows.push(Row { position, item: Item::default(), bytes: 0 });
            }
        } else if name.is("ScannedCount") {
            answer.evaluated = scan.number()?.parse().unwrap_or(u32::MAX);
        } else if name.is("LastEvaluatedKey") {
            answer.last = Some(last_key(&mut scan, sort, id)?);
        } else {
            other(name, &mut scan, &mut units)?;
        }
    }
    scan.end()?;
    for (row, item) in answer.rows.iter_mut().zip(written.finish()) {
        row.bytes = item.json.len();
        row.item = item;
    }
    Ok(Metered { content: answer, units })
}

/// The item of a GetItem, if there was one. The transcoder picks out the time of the last change, or nothing.
pub(crate) fn get(body: &[u8], transcoder: &mut Transcoder) -> Result<Metered<Option<Item>>, Malformed> {
    let mut scan = Scan::new(body);
    let (mut found, mut units) = (None, 0.0);
    let mut members = scan.object()?;
    while let Some(name) = members.next(&mut scan)? {
        if name.is("Item") {
            let mut written = Written::default();
            let modified = written.item(&mut scan, transcoder)?.pop().flatten().map(|modified| modified.as_str().to_owned());
            found = written.finish().pop().map(|item| Item { modified, ..item });
        } else {
            other(name, &mut scan, &mut units)?;
        }
    }
    scan.end()?;
    Ok(Metered { content: found, units })
}

/// What became of each of `keys`, in their order, in the answer of a BatchGetItem of one table. The transcoder picks out the key
/// attributes `names`.
pub(crate) fn batch_get(
    body: &[u8],
    transcoder: &mut Transcoder,
    names: &[&str],
    keys: &[Vec<Value>],
) -> Result<Metered<Vec<Fetched<Item>>>, Malformed> {
    let mut scan = Scan::new(body);
    let mut units = 0.0;
    let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
    let mut written = Written::default();
    let mut members = scan.object()?;
    while let Some(name) = members.next(&mut scan)? {
        if name.is("Responses") {
            let mut tables = scan.object()?;
            while tables.next(&mut scan)?.is_some() {
                let mut items = scan.array()?;
                while items.next(&mut scan)? {
                    let picks = written.item(&mut scan, transcoder)?;
                    found.push(picks.drain(..).flatten().map(value).collect::<Vec<_>>());
                }
            }
        } else if name.is("UnprocessedKeys") {
            let mut tables = scan.object()?;
            while tables.next(&mut scan)?.is_some() {
                unprocessed_keys(&mut scan, names, &mut unprocessed)?;
            }
        } else {
            other(name, &mut scan, &mut units)?;
        }
    }
    scan.end()?;
    let mut fetched: Vec<Fetched<Item>> = keys
        .iter()
        .map(|key| if unprocessed.iter().any(|other| same(other, key)) { Fetched::Unprocessed } else { Fetched::Missing })
        .collect();
    for (key, item) in found.iter().zip(written.finish()) {
        if let Some(i) = keys.iter().position(|other| same(other, key)) {
            let bytes = item.json.len();
            fetched[i] = Fetched::Found(item, bytes);
        }
    }
    Ok(Metered { content: fetched, units })
}

/// The items of one answer, written one after another into one buffer, and cut up when it is complete.
#[derive(Default)]
struct Written<'a> {
    out: Vec<u8>,
    /// Where each item ends in `out`, and in the joints.
    ends: Vec<(usize, usize)>,
    taken: Taken<'a>,
}

impl<'a> Written<'a> {
    /// Writes the item at the scanner and gives what was picked out of it.
    fn item(&mut self, scan: &mut Scan<'a>, transcoder: &mut Transcoder) -> Result<&mut Vec<Option<Scalar<'a>>>, Malformed> {
        transcoder.item(scan, &mut self.taken, &mut self.out)?;
        self.ends.push((self.out.len(), self.taken.joints.len()));
        Ok(&mut self.taken.picks)
    }

    fn finish(self) -> Vec<Item> {
        let all = Bytes::from(self.out);
        let mut joints = self.taken.joints.into_iter();
        let (mut start, mut joints_before) = (0, 0);
        let cut = |(end, joints_to): (usize, usize)| {
            let joints = joints.by_ref().take(joints_to - joints_before).map(|joint| Joint { at: joint.at - start, ..joint }).collect();
            let item = Item { json: all.slice(start..end), joints, modified: None };
            (start, joints_before) = (end, joints_to);
            item
        };
        self.ends.into_iter().map(cut).collect()
    }
}

fn last_key(scan: &mut Scan<'_>, sort: &str, id: &str) -> Result<Position, Malformed> {
    let [sort, id] = key(scan, [sort, id])?;
    match (sort, id) {
        (Some(sort), Some(id)) => Ok(Position { sort, id }),
        _ => Err(NO_POSITION),
    }
}

fn unprocessed_keys(scan: &mut Scan<'_>, names: &[&str], unprocessed: &mut Vec<Vec<Value>>) -> Result<(), Malformed> {
    let mut request = scan.object()?;
    while let Some(name) = request.next(scan)? {
        if name.is("Keys") {
            let mut keys = scan.array()?;
            while keys.next(scan)? {
                let [first, second] = key(scan, [names.first().copied().unwrap_or(""), names.get(1).copied().unwrap_or("")])?;
                unprocessed.push([first, second].into_iter().flatten().collect());
            }
        } else {
            scan.skip()?;
        }
    }
    Ok(())
}

/// The values of two attributes of a key; the same twice if the names are the same.
fn key(scan: &mut Scan<'_>, names: [&str; 2]) -> Result<[Option<Value>; 2], Malformed> {
    let mut values = [None, None];
    let mut attributes = scan.object()?;
    while let Some(name) = attributes.next(scan)? {
        let scalar = Scalar::read(scan)?.map(value);
        for (slot, _) in values.iter_mut().zip(names).filter(|(_, wanted)| name.is(wanted)) {
            slot.clone_from(&scalar);
        }
    }
    Ok(values)
}

/// A member that every envelope may have: what it cost, or something that nobody asked for.
fn other(name: Raw<'_>, scan: &mut Scan<'_>, units: &mut f64) -> Result<(), Malformed> {
    if !name.is("ConsumedCapacity") {
        scan.skip()?;
    } else if scan.peek()? == projection::Next::Array {
        let mut tables = scan.array()?;
        while tables.next(scan)? {
            capacity(scan, units)?;
        }
    } else {
        capacity(scan, units)?;
    }
    Ok(())
}

fn capacity(scan: &mut Scan<'_>, units: &mut f64) -> Result<(), Malformed> {
    let mut members = scan.object()?;
    while let Some(name) = members.next(scan)? {
        if name.is("CapacityUnits") {
            *units += scan.number()?.parse().unwrap_or(0.0);
        } else {
            scan.skip()?;
        }
    }
    Ok(())
}

fn value(scalar: Scalar<'_>) -> Value {
    match scalar {
        Scalar::Text(text) => Value::S(text.into_owned()),
        Scalar::Number(text) => Value::N(text.into_owned()),
    }
}

/// Numbers may come back written another way than they were sent.
fn same(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.order(b).is_eq())
}
