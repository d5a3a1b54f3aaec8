//! Any text in place of `fields`: it is refused with a bounded list of reasons, or gives a
//! selection whose text means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use projection::{MAX_ERRORS, Selection};
use shop::RESOURCES;

fuzz_target!(|text: &str| {
    for resource in RESOURCES {
        match Selection::parse(text, resource.fields) {
            Ok(selection) => {
                assert_eq!(
                    Selection::parse(&selection.to_string(), resource.fields).as_ref(),
                    Ok(&selection)
                );
                assert!(selection.attributes().count() <= resource.fields.len());
                let expression = selection.expression(resource.table.key);
                assert!(!expression.text.is_empty() && !expression.names.is_empty());
            }
            Err(errors) => {
                assert!((1..=MAX_ERRORS + 1).contains(&errors.len()));
                for error in errors.iter() {
                    assert!(error.path.chars().count() <= 64 && !error.detail.is_empty());
                }
            }
        }
    }
});
