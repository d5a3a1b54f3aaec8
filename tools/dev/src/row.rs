//! Converts one line of a file to one item, with every check at which the table, a list or a reader
//! would otherwise fail later.
//!
//! The checks follow from the declarations: keys and types from the template, kinds from the
//! fields, fixed sets of values from the filters. An attribute that is not declared is hidden from
//! callers and may hold anything.
//!
//! - `key`: the attributes of keys: there, of their type, not too long.
//! - `kind`: the kinds of the fields, at every level.
//! - `text`: texts as callers see and send them.
//! - `found`: for an audit, the reasons why lists would not find a row that is in a table.

mod found;
mod key;
mod kind;
mod text;

use crate::attribute::{self, Item, Members, plain};
use crate::bundle::Stored;
use crate::shard::shard;
use api::Partition;
use aws_sdk_dynamodb::types::AttributeValue;
pub(crate) use found::read_by_audit;
use key::{in_cursor, own_indexes, present, shard_attribute};
use text::{in_path, short, shown};

/// The maximum size of an item in DynamoDB.
const MAX_ITEM: usize = 400 * 1024;

/// The rules of one resource's rows.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    of: Stored<'a>,
    shards: u32,
    enumerations: Vec<(&'static str, &'static [&'static str])>,
}

impl<'a> Rules<'a> {
    /// Takes the rules from the declarations. `shards` is the `CATALOG_SHARDS` of the readers.
    pub(crate) fn new(of: Stored<'a>, shards: u32) -> Self {
        Self { of, shards, enumerations: of.enumerations() }
    }

    /// Reads and checks one line. The error is a sentence without file and line.
    pub(crate) fn read(&self, line: &str) -> Result<Item, String> {
        let of = self.of;
        let Stored { resource, table, .. } = of;
        if line.trim_start().starts_with('[') {
            return Err("an array: one object a line; `jq -c .[]` makes that".to_owned());
        }
        // The line number of the error is always 1, so it is removed; the caller adds the line of
        // the file.
        let broken = |error: serde_json::Error| {
            format!(
                "no JSON object: {}",
                error.to_string().replace(" at line 1 column ", " at column ")
            )
        };
        let members: Members<'_> = serde_json::from_str(line).map_err(broken)?;
        let mut item = attribute::item(members)?;
        for key in &table.key {
            present(&item, key)?;
            in_path(&item, of, &key.name)?;
        }
        self.set_shard(&mut item);
        for (name, text) in resource.fixed {
            if !matches!(item.get(*name), Some(AttributeValue::S(given)) if given == text) {
                return Err(format!(
                    "`{name}` is not `{text}`, as in every row of {}",
                    resource.name
                ));
            }
        }
        for index in own_indexes(resource, table) {
            for key in &index.key {
                present(&item, key)
                    .map_err(|reason| format!("{reason}: `{}` would not list it", index.name))?;
            }
        }
        kind::check(&mut item, resource.fields)?;
        for index in resource.table.indexes {
            if let Partition::Attributes(names) = index.partition {
                names.iter().try_for_each(|name| in_path(&item, of, name))?;
            }
            in_cursor(&item, index, &resource.table)?;
        }
        for (name, values) in &self.enumerations {
            match shown(&item, resource, name) {
                Some(text) if !values.contains(&text) => {
                    return Err(format!(
                        "`{name}` is `{}`, none of {}",
                        short(text),
                        values.join(", ")
                    ));
                }
                _ => {}
            }
        }
        match attribute::size(&item) {
            size if size > MAX_ITEM => Err(format!("{size} bytes; DynamoDB takes {MAX_ITEM}")),
            _ => Ok(item),
        }
    }

    /// Returns the reasons why lists would not find an item, or would find it in the wrong place.
    pub(crate) fn lost(&self, item: &Item) -> Vec<String> {
        found::lost(item, self.of, self.shards)
    }

    /// Returns true if an item is of this resource: others can be in the same table.
    pub(crate) fn is_own(&self, item: &Item) -> bool {
        found::is_own(item, self.of.resource)
    }

    /// Sets the attribute that spreads the rows over partitions, whatever the row says.
    fn set_shard(&self, item: &mut Item) {
        let id = match self.of.table.key.first().and_then(|key| item.get(&key.name)) {
            Some(AttributeValue::S(id)) => id.clone(),
            Some(AttributeValue::N(id)) => plain(id),
            _ => return,
        };
        if let Some(name) = shard_attribute(self.of.resource) {
            let shard = shard(&id, self.shards);
            item.insert(name.to_owned(), AttributeValue::N(shard.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Bundle;
    use api::Index;

    fn shop() -> Bundle {
        Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap()
    }

    fn read(resource: &str, line: &str) -> Result<Item, String> {
        Rules::new(shop().find(resource).unwrap(), 4).read(line)
    }

    fn refused(resource: &str, line: &str) -> String {
        read(resource, line).unwrap_err()
    }

    fn product(rest: &str) -> String {
        format!(
            r#"{{"productId":"p-1","category":"c","price":1,"createdAt":"2024-01-01T00:00:00.000Z"{rest}}}"#
        )
    }

    fn order(rest: &str) -> String {
        format!(
            r#"{{"orderId":"o-1","userId":"u-1","status":"paid","placedAt":"2024-01-01T00:00:00Z"{rest}}}"#
        )
    }

    #[test]
    fn a_line_that_is_no_object_is_refused() {
        assert!(refused("products", "{").starts_with("no JSON object"));
        assert_eq!(
            refused("products", "[{}]"),
            "an array: one object a line; `jq -c .[]` makes that"
        );
        assert_eq!(refused("products", "not json"), "no JSON object: expected ident at column 2");
    }

    #[test]
    fn a_key_is_there_and_can_stand_in_a_path() {
        let id = |id: &str| refused("products", &format!(r#"{{"productId":{id}}}"#));
        assert_eq!(refused("products", "{}"), "no `productId`");
        assert_eq!(id("7"), "`productId` is no string");
        assert_eq!(id("\"\""), "`productId` is empty");
        assert_eq!(
            id(r#""a\u0007""#),
            "`productId` has unprintable characters: no request can ask for it"
        );
        assert_eq!(
            id(&format!("{:?}", "é".repeat(129))),
            "`productId` is longer than 128 characters: no request can ask for it"
        );
        assert_eq!(
            id(&format!("{:?}", "x".repeat(2_049))),
            "`productId` has 2049 bytes; a key has at most 2048"
        );
        assert_eq!(id("\"..\""), "`productId` is `..`, which no path can name");
        assert_eq!(
            refused("users", r#"{"userId":"me"}"#),
            "`userId` is `me`, which stands for the caller"
        );
        assert_eq!(refused("orders", r#"{"orderId":"o-1"}"#), "no `userId`");
        let sort_key = |bytes| order("").replace("o-1", &"x".repeat(bytes));
        assert_eq!(
            refused("orders", &sort_key(1_025)),
            "`orderId` has 1025 bytes; a key has at most 1024"
        );
        assert!(refused("orders", &sort_key(1_024)).contains("longer than 128 characters"));
    }

    #[test]
    fn an_attribute_of_an_index_is_there_and_of_its_type() {
        let without = product("").replace("\"category\":\"c\",", "");
        assert_eq!(
            refused("products", &without),
            "no `category`: `byCategoryPrice` would not list it"
        );
        let text = product("").replace("\"price\":1", "\"price\":\"1\"");
        assert_eq!(
            refused("products", &text),
            "`price` is no number: `byCategoryPrice` would not list it"
        );
        let category = |json: &str| refused("products", &product("").replace("\"c\"", json));
        let long = |characters| format!("{:?}", "c".repeat(characters));
        assert_eq!(
            category(&long(129)),
            "`category` is longer than 128 characters: no request can ask for it"
        );
        assert_eq!(
            category(&long(2_049)),
            "`category` has 2049 bytes; a key has at most 2048: `byCategoryPrice` would not list it"
        );
        assert_eq!(
            category(r#""a\nb""#),
            "`category` has unprintable characters: no request can ask for it"
        );
        assert_eq!(category(r#""""#), "`category` is empty: `byCategoryPrice` would not list it");
    }

    /// Such a line names no product, and its order is shown without one.
    #[test]
    fn a_text_that_names_a_related_item_may_be_one_that_no_item_has() {
        for id in [String::new(), "x".repeat(2_049)] {
            let lines = format!(r#","items":[{{"productId":"{id}","quantity":1}}]"#);
            assert!(read("orders", &order(&lines)).is_ok());
        }
    }

    #[test]
    fn a_sort_value_and_an_id_fit_in_a_cursor() {
        static BY_BRAND: Index = Index {
            name: Some("byBrand"),
            partition: Partition::Attributes(&["x"]),
            range: &["brand"],
            projects: api::Projects::All,
        };
        let item = |bytes: usize| {
            read("products", &product(&format!(",\"brand\":{:?}", "x".repeat(bytes)))).unwrap()
        };
        assert_eq!(in_cursor(&item(343), &BY_BRAND, &shop::PRODUCTS.table), Ok(()));
        assert_eq!(
            in_cursor(&item(344), &BY_BRAND, &shop::PRODUCTS.table).unwrap_err(),
            "`brand` and `productId` have 347 bytes together; a cursor holds 346"
        );
        // DynamoDB returns a number without an exponent.
        let priced = |price: &str, bytes: usize| {
            let row = product("").replace("\"price\":1", &format!("\"price\":{price}"));
            read("products", &row.replace("p-1", &"💥".repeat(bytes / 4)))
        };
        assert!(priced("1E-10", 256).is_ok());
        assert!(priced("1.00000000000000000000000000000000000000000", 256).is_ok());
        for price in ["1E-130", "1E125", "-9e125"] {
            assert!(priced(price, 256).unwrap_err().ends_with("; a cursor holds 346"), "{price}");
        }
    }

    /// A path can name numbers of 20 digits before the point and 18 after it.
    #[test]
    fn a_number_that_is_a_key_can_be_asked_for() {
        static FIELDS: [api::Field; 1] = [api::field("productId", api::Kind::Number, "")];
        static THINGS: api::Resource = api::Resource { fields: &FIELDS, ..shop::PRODUCTS };
        let bundle = shop();
        let of = Stored { resource: &THINGS, ..bundle.find("products").unwrap() };
        let item = |number: &str| {
            Item::from([("productId".to_owned(), AttributeValue::N(number.to_owned()))])
        };
        for (number, can_be) in [
            ("1e19", true),
            ("-12345678901234567890", true),
            ("1e20", false),
            ("1e-18", true),
            ("1e-19", false),
        ] {
            assert_eq!(in_path(&item(number), of, "productId").is_ok(), can_be, "{number}");
        }
    }

    #[test]
    fn a_fixed_set_of_values_is_that_of_the_filter() {
        let reason = "`status` is `lost`, none of pending, paid, shipped, delivered, cancelled";
        assert_eq!(refused("orders", &order("").replace("paid", "lost")), reason);
    }

    #[test]
    fn a_row_is_not_larger_than_an_item() {
        assert!(
            refused("products", &product(&format!(r#","description":"{}""#, "x".repeat(410_000))))
                .contains("409600")
        );
    }

    #[test]
    fn the_shard_is_stamped_whatever_the_row_says() {
        let item =
            read("products", &product(",\"shard\":99").replace("\"price\":1", "\"price\":1.50"))
                .unwrap();
        assert_eq!(item["shard"], AttributeValue::N(shard("p-1", 4).to_string()));
        assert_eq!(item["price"], AttributeValue::N("1.50".to_owned()));
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        let item = read("orders", &order("").replace("T00:00:00Z", "T02:00:00+02:00")).unwrap();
        assert_eq!(item["placedAt"], AttributeValue::S("2024-01-01T00:00:00.000Z".to_owned()));
    }
}
