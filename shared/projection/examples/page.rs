//! A page of 50 items, transcoded as often as the first argument says, to count instructions:
//!
//! ```text
//! cargo build --release -p projection --example page
//! for n in 1 101; do valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/page $n; done
//! ```
//!
//! The difference between the two counts is 100 pages. With `nested` after the number the items have lists and objects.

use std::fmt::Write as _;
use std::hint::black_box;

use projection::{Field, Join, Kind, Malformed, Scan, Selection, Taken, Transcoder};

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, about: "" }
}

static SIZE: [Field; 2] = [field("width", Kind::Number), field("height", Kind::Number)];
static LINE: [Field; 3] = [field("partId", Kind::Text), field("name", Kind::Text), field("quantity", Kind::Integer)];
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

/// What an item of the flat page has: ten chosen members and two that are not shown, in no order of the model's.
fn flat(n: usize, page: &mut String) {
    let _ = write!(
        page,
        r#"{{"stock":{{"N":"{}"}},"shard":{{"N":"0"}},"currency":{{"S":"EUR"}},"createdAt":{{"S":"2026-11-03T10:15:{:02}.000Z"}},"brand":{{"S":"Northwind"}},"thumbnail":{{"S":"https://img.example.com/products/p-{n:06}/thumbnail-320.webp"}},"price":{{"N":"{}.95"}},"name":{{"S":"Walking boots, waterproof, size {n}"}},"id":{{"S":"p-{n:06}"}},"costPrice":{{"N":"12.5"}},"rating":{{"N":"4.{}"}},"category":{{"S":"outdoor-footwear"}}}}"#,
        n * 7,
        n % 60,
        n + 20,
        n % 10
    );
}

/// What an item of the nested page has: six scalars, a set, an object, and a list of three maps.
fn nested(n: usize, page: &mut String) {
    let line = |n: usize| {
        format!(r#"{{"M":{{"quantity":{{"N":"{n}"}},"name":{{"S":"Walking boots {n}"}},"note":{{"S":"x"}},"partId":{{"S":"p-{n:06}"}}}}}}"#)
    };
    let _ = write!(
        page,
        r#"{{"stock":{{"N":"{n}"}},"lines":{{"L":[{},{},{}]}},"currency":{{"S":"EUR"}},"brand":{{"S":"Northwind"}},"price":{{"N":"{n}.95"}},"name":{{"S":"Order {n}"}},"id":{{"S":"o-{n:06}"}},"tags":{{"SS":["b","a"]}},"size":{{"M":{{"height":{{"N":"2"}},"width":{{"N":"1"}}}}}}}}"#,
        line(1),
        line(2),
        line(3)
    );
}

fn main() -> Result<(), Malformed> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().and_then(|rounds| rounds.parse::<usize>().ok()).unwrap_or(1);
    let lists = arguments.next().is_some_and(|kind| kind == "nested");
    let mut page = String::from(r#"{"Count":50,"Items":["#);
    for n in 0..50 {
        page.push_str(if n > 0 { "," } else { "" });
        if lists { nested(n, &mut page) } else { flat(n, &mut page) }
    }
    page.push_str("],\"ScannedCount\":50}");

    let mut out = Vec::with_capacity(page.len());
    for _ in 0..rounds {
        out.clear();
        let text = "id,name,category,brand,price,currency,rating,stock,thumbnail,createdAt,tags,size,lines";
        let Ok(selection) = Selection::parse(black_box(text), &FIELDS) else { return Ok(()) };
        black_box(selection.expression(&["id", "shard"]));
        let join = lists.then_some(Join { list: "lines", key: "partId" });
        let mut transcoder = Transcoder::new(&selection, &["id", "createdAt"], join);
        let mut taken = Taken::default();
        let mut scan = Scan::new(black_box(page.as_bytes()));
        let mut members = scan.object()?;
        while let Some(name) = members.next(&mut scan)? {
            if name.is("Items") {
                let mut items = scan.array()?;
                while items.next(&mut scan)? {
                    transcoder.item(&mut scan, &mut taken, &mut out)?;
                    out.push(b',');
                }
            } else {
                scan.skip()?;
            }
        }
        scan.end()?;
        black_box(&taken);
    }
    println!("{} bytes in, {} bytes out", page.len(), out.len());
    Ok(())
}
