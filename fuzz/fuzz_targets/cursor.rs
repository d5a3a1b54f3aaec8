//! Cursors: a sealed cursor opens only for its own list, unchanged and in time; any other text
//! never opens.
#![no_main]

use std::{
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use libfuzzer_sys::{arbitrary, arbitrary::Arbitrary, fuzz_target};
use pagination::{
    CURSOR_DAYS, Condition, Cursor, Direction, InvalidCursor, MAX_CURSOR_CHARS, Plan, Position,
    Sealer, Sort, Value,
};
use shop::PRODUCTS;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    /// Opened as it is.
    text: &'a str,
    /// Sealed, then opened.
    sort: &'a str,
    id: &'a str,
    number: bool,
    placed: bool,
    backward: bool,
    made: u16,
    later: u16,
    /// One bit of the sealed text to change.
    bit: u16,
    context: &'a [u8],
}

static SEALER: LazyLock<Sealer> = LazyLock::new(|| {
    Sealer::new("a secret for fuzzing, of more than 32 characters", None).expect("long enough")
});
static PLANS: LazyLock<[Plan; 2]> = LazyLock::new(|| {
    let category = Condition::equal("category", Value::S("laptops".into()));
    let newest = Sort::descending("createdAt");
    [&[][..], &[category]].map(|conditions| {
        Plan::new(&PRODUCTS.table, conditions, newest, ["name"], 1).expect("an index")
    })
});

fuzz_target!(|input: Input| {
    let [here, elsewhere] = &*PLANS;
    let on = |day: u16| SEALER.at(UNIX_EPOCH + Duration::from_secs(u64::from(day) * 86_400));
    let sealer = on(input.made);
    assert_eq!(
        sealer.open(input.text, here, &[b"route"]),
        Err(InvalidCursor),
        "nobody forges a cursor"
    );

    let sort = if input.number {
        Value::N(input.sort.to_owned())
    } else {
        Value::S(input.sort.to_owned())
    };
    let cursor = Cursor {
        direction: if input.backward { Direction::Backward } else { Direction::Forward },
        after: input.placed.then(|| Position(vec![sort, Value::S(input.id.to_owned())])),
    };
    let context = [b"route", input.context];
    let Ok(text) = sealer.seal(&cursor, here, &context) else {
        assert!(input.sort.len() + input.id.len() > 350, "only what is too long cannot be sealed");
        return;
    };
    assert!(text.len() <= MAX_CURSOR_CHARS);
    assert_eq!(
        sealer.seal(&cursor, here, &context).as_ref(),
        Ok(&text),
        "the same place is the same text"
    );
    assert_eq!(sealer.open(&text, here, &context).as_ref(), Ok(&cursor));
    if let Some(today) = input.made.checked_add(input.later) {
        assert_eq!(on(today).open(&text, here, &context).is_ok(), input.later <= CURSOR_DAYS);
    }
    assert_eq!(sealer.open(&text, elsewhere, &context), Err(InvalidCursor));
    assert_eq!(sealer.open(&text, here, &context[..1]), Err(InvalidCursor));

    let mut changed = text.into_bytes();
    let bit = usize::from(input.bit) % (changed.len() * 8);
    changed[bit / 8] ^= 1 << (bit % 8);
    if let Ok(changed) = String::from_utf8(changed) {
        assert_eq!(sealer.open(&changed, here, &context), Err(InvalidCursor));
    }
});
