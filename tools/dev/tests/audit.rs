//! Rows that no list would find are found.

use aws_sdk_dynamodb::types::AttributeValue;
use dev::bundle::Bundle;
use dev::sample::Sample;
use dev::{audit, client, database, load};

#[tokio::test]
async fn products_that_no_list_would_find_are_named_with_all_reasons() {
    let bundle = Bundle::of(shop::RESOURCES, shop::ROUTES, shop::TEMPLATE).unwrap();
    let local = database::start(&bundle.template).unwrap();
    let client = client::local(&local.url);
    let sample = Sample::of(bundle.resources, |resource| {
        shop::sample::lines(resource.name).take(60).collect()
    });
    load::sample(&client, &bundle, &sample, 4).await.unwrap();
    let products = bundle.find("products").unwrap();

    let sound = audit::audit(&client, products, "products", 4).await.unwrap();
    assert_eq!((sound.read, sound.lost.len()), (2_400, 0));
    assert!(sound.units > 0.0);
    // Readers that know of fewer shards than the loader stamped.
    let fewer = audit::audit(&client, products, "products", 2).await.unwrap();
    assert!((1_000..1_400).contains(&fewer.lost.len()), "{}", fewer.lost.len());
    assert!(fewer.lost[0].reasons[0].contains("not one of 0 to 1"));

    let put = |id: &str, members: &[(&str, AttributeValue)]| {
        let mut request = client
            .put_item()
            .table_name("products")
            .item("productId", AttributeValue::S(id.to_owned()));
        for (name, value) in members {
            request = request.item(*name, value.clone());
        }
        request.send()
    };
    let (text, number) = (
        |text: &str| AttributeValue::S(text.to_owned()),
        |text: &str| AttributeValue::N(text.to_owned()),
    );
    put("bare", &[]).await.unwrap();
    let half = [
        ("category", text("audio")),
        ("price", number("1")),
        ("shard", number("1.5")),
        ("createdAt", text("yesterday")),
    ];
    put("half", &half).await.unwrap();
    let found = audit::audit(&client, products, "products", 4).await.unwrap();
    let ids: Vec<_> = found.lost.iter().map(|lost| lost.id.as_str()).collect();
    assert_eq!(ids, ["bare", "half"]);
    let mut bare = found.lost[0].reasons.clone();
    bare.sort();
    assert_eq!(bare, ["no `category`", "no `createdAt`", "no `price`", "no `shard`"]);
    assert_eq!(found.lost[1].reasons.len(), 2, "{:?}", found.lost[1].reasons);

    let error = audit::audit(&client, products, "elsewhere", 4).await.unwrap_err().to_string();
    assert!(error.contains("there is no table elsewhere"), "{error}");
}
