//! Sample data: realistic, generated, and the same on every machine and every run.
//!
//! It has difficult cases for tests: many equal prices and times, products without a brand or out
//! of stock, users without orders, one user with a long history, ids that are not in the order of
//! the times. Hidden strings begin with `sentinel-`, so that tests can search for leaks.

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// Products, `p-1` and up.
pub const PRODUCTS: u32 = 2_400;
/// Users, `u-1` and up. The last ten have no orders.
pub const USERS: u32 = 300;
/// Orders, `o-000001` and up.
pub const ORDERS: u32 = 6_000;
/// `u-1` has one order in this many.
const OF_FIRST_USER: u32 = 5;
const WITHOUT_ORDERS: u32 = 10;
/// 2024-01-01T00:00:00Z
const EPOCH: i64 = 1_704_067_200;
const HOUR: i64 = 3_600;

/// A category: its name, what it sells, a multiplier of the price points.
type Category = (&'static str, [&'static str; 6], u32);

const CATEGORIES: [Category; 12] = [
    (
        "audio",
        ["Headphones", "Earbuds", "Bookshelf Speaker", "Turntable", "Soundbar", "Microphone"],
        6,
    ),
    (
        "beauty",
        ["Face Serum", "Lip Balm", "Mascara", "Night Cream", "Nail Polish", "Sun Lotion"],
        1,
    ),
    ("books", ["Cookbook", "Travel Guide", "Atlas", "Novel", "Field Guide", "Picture Book"], 1),
    (
        "cameras",
        ["Mirrorless Camera", "Zoom Lens", "Tripod", "Camera Bag", "Film Roll", "Flash"],
        20,
    ),
    ("furniture", ["Armchair", "Desk", "Bookcase", "Bedside Table", "Floor Lamp", "Bench"], 15),
    ("garden", ["Watering Can", "Pruner", "Planter", "Wheelbarrow", "Bird Feeder", "Hose"], 2),
    (
        "kitchen",
        ["Chef's Knife", "Saucepan", "Kettle", "Mixing Bowl", "Cutting Board", "Grinder"],
        2,
    ),
    (
        "laptops",
        ["Ultrabook", "Workstation", "Notebook 14", "Notebook 16", "Convertible", "Chromebook"],
        60,
    ),
    (
        "phones",
        ["Phone", "Phone Mini", "Phone Pro", "Phone Case", "Fast Charger", "Power Bank"],
        30,
    ),
    ("shoes", ["Running Shoe", "Loafer", "Hiking Boot", "Sandal", "Sneaker", "Rain Boot"], 5),
    ("toys", ["Wooden Train", "Puzzle", "Building Set", "Kite", "Plush Bear", "Board Game"], 1),
    (
        "watches",
        ["Diver's Watch", "Field Watch", "Chronograph", "Dress Watch", "Smartwatch", "Watch Strap"],
        12,
    ),
];
const BRANDS: [&str; 14] = [
    "Northwind",
    "Alder & Co",
    "Lumen",
    "Fjordline",
    "Kestrel",
    "Ostara",
    "Pebble",
    "Quarry",
    "Rivet",
    "Saltbox",
    "Tamarack",
    "Umbra",
    "Vela",
    "Åkerby",
];
const QUALITIES: [&str; 12] = [
    "Classic", "Compact", "Everyday", "Heritage", "Light", "Modern", "Original", "Pro", "Quiet",
    "Rugged", "Slim", "Studio",
];
const MATERIALS: [&str; 8] =
    ["oak", "brushed steel", "recycled plastic", "cotton", "aluminium", "glass", "wool", "cork"];
const TAGS: [&str; 10] = [
    "new",
    "sale",
    "bestseller",
    "gift",
    "eco",
    "premium",
    "limited",
    "refurbished",
    "bundle",
    "seasonal",
];
/// Few price points in cents, so that many products cost the same.
const PRICES: [u32; 8] = [499, 999, 1_299, 1_999, 1_999, 2_499, 4_999, 9_999];
const FIRST_NAMES: [&str; 16] = [
    "Ada", "Björn", "Chloé", "Dmitri", "Emeka", "Fatima", "Grace", "Hana", "Ibrahim", "Jun",
    "Kofi", "Lucía", "Mei", "Noah", "Olga", "Priya",
];
const LAST_NAMES: [&str; 16] = [
    "Almeida",
    "Berg",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Jones",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "O'Brien",
    "Okafor",
];
const CITIES: [(&str, &str, &str, i32, i32); 8] = [
    ("Berlin", "BE", "Germany", 52_520, 13_405),
    ("Lisbon", "LI", "Portugal", 38_722, -9_139),
    ("Austin", "TX", "United States", 30_267, -97_743),
    ("Osaka", "OS", "Japan", 34_694, 135_502),
    ("Lagos", "LA", "Nigeria", 6_524, 3_379),
    ("Toronto", "ON", "Canada", 43_653, -79_383),
    ("São Paulo", "SP", "Brazil", -23_551, -46_633),
    ("Leeds", "WY", "United Kingdom", 53_801, -1_549),
];
const STREETS: [&str; 6] =
    ["Main Street", "Mill Lane", "Harbour Road", "Park Avenue", "Station Road", "Church Street"];
const DEPARTMENTS: [&str; 6] =
    ["Engineering", "Finance", "Marketing", "Operations", "Sales", "Support"];
const TITLES: [&str; 4] = ["Analyst", "Engineer", "Manager", "Specialist"];
const STATUSES: [&str; 10] = [
    "delivered",
    "delivered",
    "delivered",
    "delivered",
    "delivered",
    "shipped",
    "shipped",
    "paid",
    "pending",
    "cancelled",
];

/// Returns the rows of a table by its local name, as JSON Lines; none for a table of another
/// bundle.
pub fn lines(table: &str) -> Box<dyn Iterator<Item = String> + Send> {
    match table {
        "products" => Box::new((1..=PRODUCTS).map(|number| product(number).to_string())),
        "users" => Box::new((1..=USERS).map(|number| user(number).to_string())),
        "orders" => Box::new((1..=ORDERS).map(|number| order(number).to_string())),
        _ => Box::new(std::iter::empty()),
    }
}

/// Returns the product `p-{number}`, without `shard`, which the loader sets.
pub fn product(number: u32) -> Value {
    let mut random = Random::of(PRODUCT, number);
    let (category, kinds, factor) = random.pick(&CATEGORIES);
    let kind = random.pick(kinds);
    let quality = random.pick(&QUALITIES);
    let brand = random.pick(&BRANDS);
    let material = random.pick(&MATERIALS);
    let cents = random.pick(&PRICES) * factor;
    let images: Vec<_> = (1..=random.up_to(4))
        .map(|image| format!("https://images.example.com/p-{number}/{image}.webp"))
        .collect();
    // Eight products share each moment, in a shuffled order of the ids.
    let created = EPOCH + i64::from(number.wrapping_mul(7_919) % PRODUCTS / 8) * 61 * HOUR / 10;
    let updated = created + i64::from(random.below(90 * 24)) * HOUR;
    let mut tags = vec![*category];
    tags.extend((0..random.below(4)).map(|_| *random.pick(&TAGS)));
    tags.dedup();
    let mut product = json!({
        "productId": format!("p-{number}"),
        "sku": format!("{}-{:05}", category.get(..3).unwrap_or(category).to_uppercase(), number),
        "name": format!("{quality} {kind}"),
        "description": format!(
            "The {quality} {kind} is made of {material} and comes with a {}-year warranty. Chosen by our {category} \
             team for those who use it every day, it is repaired rather than replaced.",
            random.up_to(5)
        ),
        "category": category,
        "price": hundredths(cents),
        "currency": "USD",
        "rating": hundredths(200 + random.below(301)),
        "stock": if random.below(7) == 0 { 0 } else { random.up_to(250) },
        "tags": tags,
        "weight": random.up_to(400) * 25,
        "dimensions": {
            "width": hundredths(random.up_to(12_000)),
            "height": hundredths(random.up_to(12_000)),
            "depth": hundredths(random.up_to(8_000)),
        },
        "images": images,
        "thumbnail": format!("https://images.example.com/p-{number}/thumbnail.webp"),
        "createdAt": time(created),
        "updatedAt": time(updated),
        "costPrice": hundredths(cents * 3 / 5),
        "supplierNote": format!("sentinel-supplier-{number}"),
    });
    if random.below(8) != 0 {
        product["brand"] = json!(brand);
    }
    product
}

/// The user `u-{number}`.
pub fn user(number: u32) -> Value {
    let mut random = Random::of(USER, number);
    let (first, last) = (random.pick(&FIRST_NAMES), random.pick(&LAST_NAMES));
    let (city, state, country, lat, lng) = random.pick(&CITIES);
    let created = EPOCH - i64::from(random.below(500 * 24)) * HOUR;
    json!({
        "userId": format!("u-{number}"),
        "name": format!("{first} {last}"),
        "email": format!("user{number}@example.com"),
        "phone": format!("+1 555 {:03} {:04}", random.below(1_000), random.below(10_000)),
        "profilePicture": format!("https://images.example.com/u-{number}/128.webp"),
        "birthDate": format!("{}-{:02}-{:02}", 1950 + random.below(55), random.up_to(12), random.up_to(28)),
        "address": {
            "street": format!("{} {}", random.up_to(400), random.pick(&STREETS)),
            "city": city,
            "state": state,
            "postalCode": format!("{:05}", random.below(100_000)),
            "country": country,
            "coordinates": { "lat": thousandths(*lat), "lng": thousandths(*lng) },
        },
        "company": {
            "name": format!("{} {}", random.pick(&LAST_NAMES), random.pick(&["Ltd", "GmbH", "Inc", "& Sons"])),
            "department": random.pick(&DEPARTMENTS),
            "title": random.pick(&TITLES),
        },
        "createdAt": time(created),
        "updatedAt": time(created + i64::from(random.below(2_000)) * HOUR),
        "passwordHash": format!("sentinel-password-{number}"),
        "ssn": format!("sentinel-ssn-{number}"),
        "card": format!("sentinel-card-{number}"),
    })
}

/// The order `o-{number}`, six digits.
pub fn order(number: u32) -> Value {
    let mut random = Random::of(ORDER, number);
    let user =
        if number % OF_FIRST_USER == 1 { 1 } else { 2 + random.below(USERS - WITHOUT_ORDERS - 1) };
    // Days overlap and whole quarters of an hour repeat: ids are not in the order of the times, and
    // times are not unique.
    let placed =
        EPOCH + i64::from(number / 16) * 24 * HOUR + i64::from(random.below(200)) * HOUR / 4;
    let mut total = 0;
    let mut count = 0;
    let items: Vec<_> = (0..random.up_to(5))
        .map(|_| {
            let product = product(random.up_to(PRODUCTS));
            let quantity = random.up_to(4);
            let cents = product["price"].as_f64().map_or(0, cents);
            total += cents * quantity;
            count += quantity;
            json!({
                "productId": product["productId"],
                "name": product["name"],
                "quantity": quantity,
                "unitPrice": product["price"],
            })
        })
        .collect();
    json!({
        "orderId": format!("o-{number:06}"),
        "userId": format!("u-{user}"),
        "status": random.pick(&STATUSES),
        "placedAt": time(placed),
        "updatedAt": time(placed + i64::from(random.below(240)) * HOUR),
        "currency": "USD",
        "total": hundredths(total),
        "itemCount": count,
        "items": items,
        "paymentToken": format!("sentinel-payment-{number}"),
    })
}

fn hundredths(value: u32) -> Value {
    json!(f64::from(value) / 100.0)
}

fn thousandths(value: i32) -> Value {
    json!(f64::from(value) / 1_000.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "prices of this module: positive and small"
)]
fn cents(price: f64) -> u32 {
    (price * 100.0).round() as u32
}

/// Writes a time as tables hold it.
fn time(unix_seconds: i64) -> String {
    const MILLIS: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from_unix_timestamp(unix_seconds)
        .ok()
        .and_then(|time| time.format(MILLIS).ok())
        .unwrap_or_default()
}

/// The random streams of the three tables.
const PRODUCT: u64 = 0x6216_3791_2842_E8EC;
const USER: u64 = 0x7D67_80E4_032B_48F2;
const ORDER: u64 = 0x6BE6_0D72_81A8_29F7;

/// SplitMix64 (Steele, Lea, Flood 2014), one stream for each row: a row does not depend on those
/// before it.
struct Random(u64);

impl Random {
    fn of(stream: u64, number: u32) -> Self {
        Self(stream ^ (u64::from(number) << 32))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to `bound` − 1.
    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound.max(1))).unwrap_or_default()
    }

    /// 1 to `bound`.
    fn up_to(&mut self, bound: u32) -> u32 {
        self.below(bound) + 1
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(u32::try_from(of.len()).unwrap_or(u32::MAX)) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    #[test]
    fn the_rows_are_the_same_everywhere() {
        // FNV-1a, 64 bits.
        let hash = |line: String| {
            line.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
            })
        };
        let digest =
            |table| lines(table).fold(0, |digest, line| hash(line) ^ u64::rotate_left(digest, 7));
        let digests = ["products", "users", "orders"].map(digest);
        assert_eq!(
            digests, DIGESTS,
            "the sample has changed: if that is meant, write the new digests here"
        );
    }
    const DIGESTS: [u64; 3] =
        [3_969_005_128_254_985_702, 9_782_133_276_750_091_418, 1_771_312_580_619_447_146];

    #[test]
    fn the_sample_is_awkward_where_it_should_be() {
        let rows = |table| {
            lines(table)
                .map(|line| serde_json::from_str::<Value>(&line).unwrap())
                .collect::<Vec<_>>()
        };
        let products = rows("products");
        let count = |of: &dyn Fn(&Value) -> String| {
            products.iter().fold(HashMap::<String, u32>::new(), |mut counts, product| {
                *counts.entry(of(product)).or_default() += 1;
                counts
            })
        };
        assert_eq!(count(&|p| p["category"].to_string()).len(), 12);
        let prices = count(&|p| format!("{}{}", p["category"], p["price"]));
        assert!(prices.values().any(|same| *same > 30), "no ties");
        let times = count(&|p| p["createdAt"].to_string());
        assert!(times.values().all(|same| *same == 8), "times are not shared by eight");
        assert!(products.iter().any(|p| p.get("brand").is_none()));
        assert!(products.iter().any(|p| p["stock"] == 0));
        assert!(
            products.iter().all(|p| p["supplierNote"].as_str().unwrap().starts_with("sentinel-"))
        );

        let orders = rows("orders");
        let first = orders.iter().filter(|o| o["userId"] == "u-1").count();
        assert_eq!(first, 1_200);
        let users: HashSet<_> = orders.iter().map(|o| o["userId"].to_string()).collect();
        assert!(!users.contains("\"u-300\""));
        let placed: Vec<_> = orders
            .iter()
            .filter(|o| o["userId"] == "u-1")
            .map(|o| o["placedAt"].to_string())
            .collect();
        assert!(
            placed.len() > placed.iter().collect::<HashSet<_>>().len(),
            "u-1 has no orders at the same time"
        );
        assert!(!placed.is_sorted(), "ids are in the order of the times");
    }
}
