// The list of products with AWS SDK v3's document client and, if CACHE_URL is set, ioredis in front of it:
// the answer is looked up first, and stored for a minute if it is not there.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import Redis from "ioredis";

const SUMMARY = ["productId", "name", "category", "brand", "price", "currency", "rating", "stock", "thumbnail", "createdAt"];
const SECONDS = 60;

const TableName = process.env.PRODUCTS_TABLE;
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const redis = process.env.CACHE_URL ? new Redis(process.env.CACHE_URL) : null;

async function cached(key, load) {
  if (!redis) return load();
  const hit = await redis.get(key);
  if (hit) return JSON.parse(hit);
  const value = await load();
  await redis.set(key, JSON.stringify(value), "EX", SECONDS);
  return value;
}

const projection = (names) => ({
  ProjectionExpression: names.map((_, i) => `#p${i}`).join(","),
  ExpressionAttributeNames: Object.fromEntries(names.map((name, i) => [`#p${i}`, name])),
});

const chosen = (item, names) => {
  const result = {};
  for (const name of names) if (name in item) result[name] = item[name];
  return result;
};

// The newest first. What the index does not have is fetched by key.
async function listProducts(fields, limit) {
  const held = SUMMARY.filter((name) => fields.includes(name) || name === "productId" || name === "createdAt");
  const request = projection(held);
  request.ExpressionAttributeNames["#k"] = "shard";
  const { Items } = await client.send(
    new QueryCommand({
      TableName,
      IndexName: "byShardCreatedAt",
      KeyConditionExpression: "#k = :k",
      ExpressionAttributeValues: { ":k": 0 },
      ScanIndexForward: false,
      Limit: limit + 1,
      ...request,
    }),
  );
  let items = Items.slice(0, limit);
  const last = items.at(-1);
  if (fields.some((name) => !SUMMARY.includes(name))) {
    const Keys = items.map(({ productId }) => ({ productId }));
    const names = [...new Set(["productId", ...fields])];
    const { Responses } = await client.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys, ...projection(names) } } }));
    const byId = new Map(Responses[TableName].map((item) => [item.productId, item]));
    items = items.map(({ productId }) => byId.get(productId)).filter(Boolean);
  }
  const next =
    Items.length > limit ? Buffer.from(JSON.stringify({ createdAt: last.createdAt, productId: last.productId })).toString("base64url") : null;
  return { items: items.map((item) => chosen(item, fields)), page: { limit, next, prev: null } };
}

export async function handler(event) {
  const { fields, limit } = event.queryStringParameters ?? {};
  const wanted = fields?.split(",") ?? SUMMARY;
  const size = Number(limit ?? 25);
  const body = await cached(`products:${wanted.join(",")}:${size}`, () => listProducts(wanted, size));
  return { statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
