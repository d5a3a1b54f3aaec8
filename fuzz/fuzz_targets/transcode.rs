//! Any bytes in place of DynamoDB's items: refused without a trace in the output, or turned into JSON with the chosen members only.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use model::{ORDERS, PRODUCTS, USERS};
use projection::{Join, Scan, Selection, Taken, Transcoder, splice};
use serde::de::IgnoredAny;

thread_local! {
    /// As in service: one transcoder for many items.
    static TRANSCODERS: RefCell<[Transcoder; 4]> = RefCell::new({
        let parse = |text, resource: &api::Resource| Selection::parse(text, resource.fields).expect("fields of the model");
        let join = Join { list: "items", key: "productId" };
        [
            Transcoder::new(&Selection::all(USERS.fields), &["userId", "updatedAt"], None),
            Transcoder::new(&parse("name,address(city,coordinates.lat)", &USERS), &["userId"], None),
            Transcoder::new(&parse("productId,price,tags,dimensions.width,images", &PRODUCTS), &["price", "productId"], None),
            Transcoder::new(&parse("orderId,total,items(quantity,name)", &ORDERS), &["placedAt", "orderId"], Some(join)),
        ]
    });
}

fuzz_target!(|bytes: &[u8]| {
    TRANSCODERS.with_borrow_mut(|transcoders| {
        for transcoder in transcoders {
            let (mut scan, mut taken, mut out) = (Scan::new(bytes), Taken::default(), b"before".to_vec());
            match transcoder.item(&mut scan, &mut taken, &mut out) {
                Err(_) => assert!(out == b"before" && taken.joints.is_empty(), "an error leaves nothing behind"),
                Ok(()) => {
                    let json = std::str::from_utf8(&out).expect("UTF-8").strip_prefix("before").expect("what was there stays");
                    assert!(json.starts_with('{'));
                    serde_json::from_str::<IgnoredAny>(json).expect("JSON");
                    let mut joints = taken.joints;
                    joints.iter_mut().for_each(|joint| joint.at -= "before".len());
                    let joined = splice(json.as_bytes(), &joints, "product", |_| Some(b"{}".as_slice()));
                    serde_json::from_slice::<IgnoredAny>(&joined).expect("JSON with what was joined");
                }
            }
        }
    });
});
