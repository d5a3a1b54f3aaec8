//! Reads any bytes in place of an item: they are refused without a trace in the output, or become
//! JSON of the chosen members.
#![no_main]

use libfuzzer_sys::fuzz_target;
use projection::{Join, Output, Selection, Transcoder, splice};
use serde::de::{DeserializeSeed, IgnoredAny};
use shop::{ORDERS, PRODUCTS, USERS};

thread_local! {
    /// One transcoder for many items, as in a function.
    static TRANSCODERS: [Transcoder; 4] = {
        let parse = |text, resource: &api::Resource| Selection::parse(text, resource.fields).expect("fields of the model");
        let join = Join { list: "items", key: "productId" };
        [
            Transcoder::new(&Selection::all(USERS.fields), &["userId", "updatedAt"], None),
            Transcoder::new(&parse("name,address(city,coordinates.lat)", &USERS), &["userId"], None),
            Transcoder::new(&parse("productId,price,tags,dimensions.width,images", &PRODUCTS), &["price", "productId"], None),
            Transcoder::new(&parse("orderId,total,items(quantity,name)", &ORDERS), &["placedAt", "orderId"], Some(join)),
        ]
    };
}

fuzz_target!(|bytes: &[u8]| {
    TRANSCODERS.with(|transcoders| {
        for transcoder in transcoders {
            let mut output = Output::default();
            output.json.extend_from_slice(b"before");
            match transcoder
                .item(&mut output)
                .deserialize(&mut serde_json::Deserializer::from_slice(bytes))
            {
                Err(_) => assert!(
                    output.json == b"before" && output.insertions.is_empty(),
                    "an error leaves nothing behind"
                ),
                Ok(()) => {
                    let json = std::str::from_utf8(&output.json)
                        .expect("UTF-8")
                        .strip_prefix("before")
                        .expect("what was there stays");
                    assert!(json.starts_with('{'));
                    serde_json::from_str::<IgnoredAny>(json).expect("JSON");
                    let mut insertions = output.insertions;
                    insertions.iter_mut().for_each(|insertion| insertion.at -= "before".len());
                    for most in [usize::MAX, json.len() + 40] {
                        let (joined, _) = splice(json.as_bytes(), &insertions, "product", most, |_| {
                            Some(b"{}".as_slice())
                        });
                        serde_json::from_slice::<IgnoredAny>(&joined)
                            .expect("JSON with what was joined");
                        assert!(joined.len() <= most);
                    }
                }
            }
        }
    });
});
