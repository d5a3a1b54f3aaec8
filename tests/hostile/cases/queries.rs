//! Query strings, the values in them, and cursors.

use serde_json::json;
use shop::{GET_USER, LIST_PRODUCTS, LIST_USER_ORDERS};

use super::{
    CURSOR, Case, Expected::Wrong, OK, TOO_LONG, case, good_orders, good_products, good_user,
    shown, with,
};

/// Query strings that cannot be decoded, or repeat parameters, or leave them empty.
pub(super) fn queries(cases: &mut Vec<Case>) {
    let names: String = (0..1_000).map(|number| format!("&{number:03}")).collect();
    for (query, answer) in [
        ("category=%", Wrong(&["category"])),
        ("category=%4", Wrong(&["category"])),
        ("category=%zz", Wrong(&["category"])),
        ("category=%u0041", Wrong(&["category"])),
        ("category=%C3", Wrong(&["category"])),
        ("category=%C0%AF", Wrong(&["category"])),
        ("category=%E0%80%AF", Wrong(&["category"])),
        ("category=%ED%A0%80", Wrong(&["category"])),
        ("category=%F4%90%80%80", Wrong(&["category"])),
        ("category=%FF%FE", Wrong(&["category"])),
        ("category=%00", Wrong(&["category"])),
        ("category=%0D%0Aset-cookie:%20a", Wrong(&["category"])),
        ("category=%C2%85", Wrong(&["category"])),
        ("category=%2525", OK),
        ("%63ategory=laptops", OK),
        ("%=1", Wrong(&["%"])),
        ("=", Wrong(&[""])),
        ("&&&&", OK),
        ("category", Wrong(&["category"])),
        ("category[]=a", Wrong(&["category[]"])),
        ("Category=a", Wrong(&["Category"])),
        ("category=a;limit=2", OK),
        ("limit=1&limit=1", Wrong(&["limit"])),
        ("limit=1&%6cimit=1", Wrong(&["limit"])),
        ("limit=%FF&limit=1", Wrong(&["limit"])),
        ("__proto__=1&constructor=2", Wrong(&["__proto__", "constructor"])),
        ("callback=alert(1)", Wrong(&["callback"])),
        ("category=' OR 1=1 --&brand={\"$ne\":1}&sort=newest", OK),
        ("category=:k0&brand=%23k0 = :k0", OK),
    ] {
        cases.push(case(
            format!("query {query}"),
            &LIST_PRODUCTS,
            good_products(query).to_string(),
            answer,
        ));
    }
    // Of many errors only the first 32 are reported, and no work is done for the rest.
    cases.push(case(
        "a thousand unknown names",
        &LIST_PRODUCTS,
        good_products(&names[1..]).to_string(),
        Wrong(&THIRTY_TWO),
    ));
}

const THIRTY_TWO: [&str; 32] = [
    "000", "001", "002", "003", "004", "005", "006", "007", "008", "009", "010", "011", "012",
    "013", "014", "015", "016", "017", "018", "019", "020", "021", "022", "023", "024", "025",
    "026", "027", "028", "029", "030", "031",
];

/// Values at and beyond the limits of each parameter.
pub(super) fn parameters(cases: &mut Vec<Case>) {
    let mut products = |query: &str, answer| {
        cases.push(case(shown(query), &LIST_PRODUCTS, good_products(query).to_string(), answer))
    };
    for value in [
        "",
        "0",
        "101",
        "-1",
        "+5",
        "%2B5",
        "1e1",
        "0x10",
        "5.0",
        "٣",
        "%D9%A3",
        "５",
        " 5",
        "5 ",
        "NaN",
        "0000000025",
        "99999999999999999999",
    ] {
        products(&format!("limit={value}"), Wrong(&["limit"]));
    }
    products("limit=005", OK);
    for value in ["", "0", "-1", "1.5", "41", "4294967297", "18446744073709551616", "１"] {
        products(&format!("page={value}"), Wrong(&["page"]));
    }
    for value in [
        "",
        "NaN",
        "Infinity",
        "1e400",
        "1E1",
        ".5",
        "5.",
        "--1",
        "+1",
        "0x1",
        "1,5",
        "1_000",
        "٣",
        "999999999999999999999",
        "0.0000000000000000001",
    ] {
        products(&format!("minPrice={value}"), Wrong(&["minPrice"]));
        products(&format!("minRating={value}&sort=price_asc"), Wrong(&["minRating"]));
    }
    for value in [
        "-0",
        "00",
        "-0.000000000000000000",
        "99999999999999999999.999999999999999999",
        "-99999999999999999999",
    ] {
        products(&format!("minPrice={value}&sort=price_asc"), OK);
        products(&format!("maxPrice={value}&sort=newest"), OK);
    }
    for (query, answer) in [
        ("minPrice=1&maxPrice=0.999999999999999999", Wrong(&["maxPrice"] as &[&str])),
        ("inStock=TRUE", Wrong(&["inStock"])),
        ("inStock=", Wrong(&["inStock"])),
        ("sort=", Wrong(&["sort"])),
        ("sort=newest,oldest", Wrong(&["sort"])),
        ("sort=__proto__", Wrong(&["sort"])),
        ("brand=", Wrong(&["brand"])),
        ("fields=", Wrong(&["fields"])),
        ("fields=name%00", Wrong(&["fields"])),
        ("fields= name", Wrong(&["fields"])),
        ("fields=name,", Wrong(&["fields"])),
        ("fields=a.a.a.", Wrong(&["fields"])),
        ("fields=name.name", Wrong(&["fields"])),
        ("fields=name()", Wrong(&["fields"])),
        ("fields=dimensions(width", Wrong(&["fields"])),
        ("fields=dimensions)width(", Wrong(&["fields"])),
        ("fields=dimensions[0]", Wrong(&["fields"])),
        ("expand=customer", Wrong(&["expand"])),
    ] {
        products(query, answer);
    }
    products(&format!("fields={}", "(".repeat(4_000)), Wrong(&["fields"]));
    products(
        &format!("fields=dimensions{}width{}", "(".repeat(2_000), ")".repeat(2_000)),
        Wrong(&["fields"]),
    );
    products(&format!("fields={}", ["dimensions(width)"; 200].join(",")), OK);
    products(&format!("category={}", "💥".repeat(128)), OK);
    products(&format!("category={}", "x".repeat(129)), Wrong(&["category"]));

    let mut orders = |query: &str, answer| {
        cases.push(case(shown(query), &LIST_USER_ORDERS, good_orders(query).to_string(), answer))
    };
    for time in [
        "",
        "now",
        "0",
        "2024",
        "2024-02-30T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00+02:00",
        "2024-01-01T00:00:00%2B24:00",
        "2024-01-01T00:00:00%2B00:60",
        "2016-06-15T12:00:60Z",
        "-0001-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "0000-01-01T00:00:00%2B23:59",
        "9999-12-31T23:59:59-23:59",
        "9999-12-31T23:59:59.9999Z",
        "2024-01-01T00:00:00.Z",
        "٢٠٢٤-01-01T00:00:00Z",
        "2024-01-01T00:00:00Z%00",
    ] {
        orders(&format!("from={time}"), Wrong(&["from"]));
    }
    for separator in
        ["x", "_", "0", "5", "-", ":", "%22", "%2B", "+", "%20", "%00", "%0A", "%C3%A9", ""]
    {
        orders(&format!("from=2024-01-01{separator}00:00:00Z"), Wrong(&["from"]));
        orders(&format!("to=2024-01-01{separator}00:00:00Z"), Wrong(&["to"]));
    }
    for (query, answer) in [
        ("from=0000-01-01T00:00:00Z", OK),
        ("to=0000-01-01T00:00:00Z", Wrong(&["to"] as &[&str])),
        ("from=2016-12-31T23:59:60Z", OK),
        ("from=2024-01-01t00:00:00z", OK),
        ("to=9999-12-31T23:59:59.999Z&from=0000-01-01T00:00:00Z", OK),
        ("from=2024-01-01T00:00:00.123456789123456789Z", OK),
        ("from=2024-01-02T00:00:00Z&to=2024-01-01T00:00:00Z", Wrong(&["to"])),
        ("from=2024-01-01T00:00:00Z&to=2024-01-01T00:00:00.0000001Z", OK),
        ("status=PAID", Wrong(&["status"])),
        ("status=paid,lost", Wrong(&["status"])),
        ("expand=", Wrong(&["expand"])),
        ("expand=customer,", Wrong(&["expand"])),
        ("expand=items", Wrong(&["expand"])),
        ("expand=items.product,customer,customer,items.product&limit=1", OK),
        ("userId=u-2", Wrong(&["userId"])),
    ] {
        orders(query, answer);
    }
}

/// A hidden field gets the same answer as one that does not exist.
pub(super) fn hidden_fields(cases: &mut Vec<Case>) {
    for field in [
        "costPrice",
        "COSTPRICE",
        "costprice",
        "cost%50rice",
        "costPrice%20",
        "shard",
        "name,shard",
        "shard.x",
        "dimensions.secret",
        "dimensions(secret)",
        "dimensions(width,secret)",
        "*",
        "**",
        "$",
        "%23p0",
        "items",
        "productId.costPrice",
    ] {
        let event = good_products(&format!("fields={field}"));
        cases.push(case(
            format!("hidden {field}"),
            &LIST_PRODUCTS,
            event.to_string(),
            Wrong(&["fields"]),
        ));
    }
    for field in [
        "passwordHash",
        "ssn",
        "address.doorCode",
        "address(doorCode)",
        "name,address(city,doorCode)",
        "address.*",
    ] {
        let event = with(good_user("u-1"), "/rawQueryString", json!(format!("fields={field}")));
        cases.push(case(
            format!("hidden {field}"),
            &GET_USER,
            event.to_string(),
            Wrong(&["fields"]),
        ));
    }
    for field in [
        "paymentToken",
        "items.margin",
        "items(margin)",
        "items.product.costPrice",
        "customer.passwordHash",
        "product",
        "items.customer",
    ] {
        let event = good_orders(&format!("expand=items.product&fields={field}"));
        cases.push(case(
            format!("hidden {field}"),
            &LIST_USER_ORDERS,
            event.to_string(),
            Wrong(&["fields"]),
        ));
    }
    let filter = good_products("costPrice=1&shard=0");
    cases.push(case(
        "a hidden filter",
        &LIST_PRODUCTS,
        filter.to_string(),
        Wrong(&["costPrice", "shard"]),
    ));
}

/// Cursors that no list made.
pub(super) fn cursors(cases: &mut Vec<Case>) {
    let long = "A".repeat(3_000);
    for cursor in [
        "",
        "A",
        "AA",
        "AAAA",
        "null",
        "%00",
        "..",
        "AAAA=",
        "+/+/",
        "%2B%2F",
        "-_-_",
        "é",
        "eyJpZCI6MX0",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        &long,
    ] {
        cases.push(case(
            shown(&format!("cursor {cursor}")),
            &LIST_PRODUCTS,
            good_products(&format!("cursor={cursor}")).to_string(),
            CURSOR,
        ));
        cases.push(case(
            shown(&format!("cursor {cursor}")),
            &LIST_USER_ORDERS,
            good_orders(&format!("cursor={cursor}")).to_string(),
            CURSOR,
        ));
    }
    let ten = good_products(&format!("cursor={}", "A".repeat(10_240)));
    cases.push(case("a cursor of 10 KiB", &LIST_PRODUCTS, ten.to_string(), TOO_LONG));
    cases.push(case(
        "a cursor that is no text",
        &LIST_PRODUCTS,
        good_products("cursor=%FF").to_string(),
        Wrong(&["cursor"]),
    ));
    cases.push(case(
        "a cursor on one item",
        &GET_USER,
        with(good_user("u-1"), "/rawQueryString", json!("cursor=x")).to_string(),
        Wrong(&["cursor"]),
    ));
}
