//! A page of 50 items, transcoded as often as the first argument says, to count instructions:
//!
//! ```text
//! cargo build --release -p lean-projection --example page
//! for n in 1 101; do
//!   valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/page $n
//! done
//! ```
//!
//! The difference between the two counts is 100 pages. With `nested` after the number the items
//! have lists and objects.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::hint::black_box;

use projection::{Field, Join, Kind, Output, Selection, Transcoder};
use serde::Deserializer;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, about: "" }
}

static SIZE: [Field; 2] = [field("width", Kind::Number), field("height", Kind::Number)];
static LINE: [Field; 3] =
    [field("partId", Kind::Text), field("name", Kind::Text), field("quantity", Kind::Integer)];
static FIELDS: [Field; 13] = [
    field("id", Kind::Text),
    field("name", Kind::Text),
    field("category", Kind::Text),
    field("brand", Kind::Text),
    field("price", Kind::Number),
    field("currency", Kind::Text),
    field("rating", Kind::Number),
    field("stock", Kind::Integer),
    field("thumbnail", Kind::Text),
    field("createdAt", Kind::Timestamp),
    field("tags", Kind::Texts),
    field("size", Kind::Object(&SIZE)),
    field("lines", Kind::Objects(&LINE)),
];

/// Writes an item of the flat page: ten chosen members and two that are not shown, in no order of
/// the model's.
fn flat(n: usize, page: &mut String) {
    let _ = write!(
        page,
        r#"{{"stock":{{"N":"{}"}},"shard":{{"N":"0"}},"currency":{{"S":"EUR"}},"createdAt":{{"S":"2026-11-03T10:15:{:02}.000Z"}},"brand":{{"S":"Northwind"}},"thumbnail":{{"S":"https://img.example.com/pictures/p-{n:06}/thumbnail-320.webp"}},"price":{{"N":"{}.95"}},"name":{{"S":"Walking boots, waterproof, size {n}"}},"id":{{"S":"p-{n:06}"}},"costPrice":{{"N":"12.5"}},"rating":{{"N":"4.{}"}},"category":{{"S":"outdoor-footwear"}}}}"#,
        n * 7,
        n % 60,
        n + 20,
        n % 10
    );
}

/// Writes an item of the nested page: six scalars, a set, an object, and a list of three maps.
fn nested(n: usize, page: &mut String) {
    let line = |n: usize| {
        format!(
            r#"{{"M":{{"quantity":{{"N":"{n}"}},"name":{{"S":"Walking boots {n}"}},"note":{{"S":"x"}},"partId":{{"S":"p-{n:06}"}}}}}}"#
        )
    };
    let _ = write!(
        page,
        r#"{{"stock":{{"N":"{n}"}},"lines":{{"L":[{},{},{}]}},"currency":{{"S":"EUR"}},"brand":{{"S":"Northwind"}},"price":{{"N":"{n}.95"}},"name":{{"S":"Order {n}"}},"id":{{"S":"o-{n:06}"}},"tags":{{"SS":["b","a"]}},"size":{{"M":{{"height":{{"N":"2"}},"width":{{"N":"1"}}}}}}}}"#,
        line(1),
        line(2),
        line(3)
    );
}

/// Reads an array of items.
struct Items<'t, 'de> {
    transcoder: &'t Transcoder,
    output: &'t mut Output<'de>,
}

impl<'de> DeserializeSeed<'de> for Items<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, 'de> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an array of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.transcoder.item(self.output))?.is_some() {
            self.output.json.push(b',');
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().and_then(|rounds| rounds.parse::<usize>().ok()).unwrap_or(1);
    let lists = arguments.next().is_some_and(|kind| kind == "nested");
    let mut page = String::from("[");
    for n in 0..50 {
        page.push_str(if n > 0 { "," } else { "" });
        if lists { nested(n, &mut page) } else { flat(n, &mut page) }
    }
    page.push(']');

    let mut written = 0;
    for _ in 0..rounds {
        let text = "id,name,category,brand,price,currency,rating,stock,thumbnail,createdAt,tags,size,lines";
        let selection = Selection::parse(black_box(text), &FIELDS)?;
        black_box(selection.expression(&["id", "shard"]));
        let join = lists.then_some(Join { list: "lines", key: "partId" });
        let transcoder = Transcoder::new(&selection, &["id", "createdAt"], join);
        let mut output = Output::default();
        output.json.reserve(page.len());
        let body = std::str::from_utf8(black_box(page.as_bytes()))?;
        let mut deserializer = serde_json::Deserializer::from_str(body);
        Items { transcoder: &transcoder, output: &mut output }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        written = black_box(&output).json.len();
    }
    println!("{} bytes in, {written} bytes out", page.len());
    Ok(())
}
