//! Products: a public catalogue, by category or as a whole.

use api::{
    Accepts, Access, Field, Filter, Index, Kind, Limits, List, Order, Partition, Policy, Projects,
    Quota, Resource, Route, Shape, SortOption, Table, Weights, field,
};

/// The attributes that `byCategory…` and `byShard…` project; with the keys of index and table they
/// are the summary.
const IN_INDEXES: Projects = Projects::Attributes(&[
    "name",
    "category",
    "brand",
    "price",
    "currency",
    "rating",
    "stock",
    "thumbnail",
    "createdAt",
]);

const FIELDS: &[Field] = &[
    field("productId", Kind::Text, "The product's id."),
    field("sku", Kind::Text, "The stock keeping unit."),
    field("name", Kind::Text, "The product's name."),
    field("description", Kind::Text, "A few sentences about the product."),
    field("category", Kind::Text, "The one category that the product belongs to."),
    field("brand", Kind::Text, "The brand, if it has one."),
    field("price", Kind::Number, "The price in `currency`."),
    field("currency", Kind::Text, "An ISO 4217 code."),
    field("rating", Kind::Number, "The mean of the ratings, from 0 to 5."),
    field("stock", Kind::Integer, "How many are in stock."),
    field("tags", Kind::Texts, "Words to find the product by."),
    field("weight", Kind::Number, "The weight in grams."),
    field("dimensions", Kind::Object(DIMENSIONS), "Width, height and depth in centimetres."),
    field("images", Kind::Texts, "URLs of pictures."),
    field("thumbnail", Kind::Text, "The URL of a small picture."),
    field("createdAt", Kind::Timestamp, "When the product came into the catalogue."),
    field("updatedAt", Kind::Timestamp, "When the product was last changed."),
];

const DIMENSIONS: &[Field] = &[
    field("width", Kind::Number, "The width in centimetres."),
    field("height", Kind::Number, "The height in centimetres."),
    field("depth", Kind::Number, "The depth in centimetres."),
];

const SUMMARY: &[&str] = &[
    "productId",
    "name",
    "category",
    "brand",
    "price",
    "currency",
    "rating",
    "stock",
    "thumbnail",
    "createdAt",
];

/// The table `products`. Its attributes `shard` and `costPrice` are hidden.
pub static PRODUCTS: Resource = Resource {
    name: "products",
    table_variable: "PRODUCTS_TABLE",
    table: Table {
        key: &["productId"],
        indexes: &[
            index("byCategoryPrice", Partition::Attributes(&["category"]), &["price", "productId"]),
            index(
                "byCategoryCreatedAt",
                Partition::Attributes(&["category"]),
                &["createdAt", "productId"],
            ),
            index("byShardPrice", Partition::Shards("shard"), &["price", "productId"]),
            index("byShardCreatedAt", Partition::Shards("shard"), &["createdAt", "productId"]),
        ],
    },
    fixed: &[],
    fields: FIELDS,
    summary: SUMMARY,
    modified: Some("updatedAt"),
    policy: Policy::PUBLIC_READ_MOSTLY,
};

const fn index(name: &'static str, partition: Partition, range: &'static [&'static str]) -> Index {
    Index { name: Some(name), partition, range, projects: IN_INDEXES }
}

/// `GET /v1/products`
pub static LIST_PRODUCTS: Route = Route {
    name: "list-products",
    path: "/v1/products",
    about: "List products, newest first unless sorted otherwise.",
    resource: &PRODUCTS,
    access: Access::Public,
    quota: Quota::PerAddress(Weights { items: 50, expansion: 0 }),
    shape: Shape::List(List {
        filters: &[
            Filter {
                parameter: "category",
                field: "category",
                accepts: Accepts::Text,
                about: "Products of this category.",
            },
            Filter {
                parameter: "minPrice",
                field: "price",
                accepts: Accepts::AtLeast,
                about: "Products at this price or above.",
            },
            Filter {
                parameter: "maxPrice",
                field: "price",
                accepts: Accepts::AtMost,
                about: "Products at this price or below.",
            },
            Filter {
                parameter: "brand",
                field: "brand",
                accepts: Accepts::Text,
                about: "Products of this brand.",
            },
            Filter {
                parameter: "minRating",
                field: "rating",
                accepts: Accepts::AtLeast,
                about: "Products rated this or better.",
            },
            Filter {
                parameter: "inStock",
                field: "stock",
                accepts: Accepts::Positive,
                about: "Products that are in stock (`true`) or out of stock (`false`).",
            },
        ],
        sorts: &[
            SortOption {
                name: "newest",
                field: "createdAt",
                order: Order::Descending,
                about: "the latest first",
            },
            SortOption {
                name: "oldest",
                field: "createdAt",
                order: Order::Ascending,
                about: "the earliest first",
            },
            SortOption {
                name: "price_asc",
                field: "price",
                order: Order::Ascending,
                about: "the cheapest first",
            },
            SortOption {
                name: "price_desc",
                field: "price",
                order: Order::Descending,
                about: "the most expensive first",
            },
        ],
        expansions: &[],
        limits: Limits::USUAL,
    }),
};

/// The fields that other lists show of a product.
pub(crate) const PRODUCT_SUMMARY: &[&str] = SUMMARY;
