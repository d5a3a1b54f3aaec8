// The same routes with AWS SDK v3's document client, as a Lambda handler for API Gateway payload
// 2.0.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";

const USER = ["userId", "name", "email", "phone", "profilePicture", "birthDate", "address", "company", "createdAt", "updatedAt"];
const SUMMARY = ["productId", "name", "category", "brand", "price", "currency", "rating", "stock", "thumbnail", "createdAt"];
const ORDER = ["orderId", "userId", "status", "placedAt", "updatedAt", "currency", "total", "itemCount"];

const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));

const projection = (names) => ({
  ProjectionExpression: names.map((_, i) => `#p${i}`).join(","),
  ExpressionAttributeNames: Object.fromEntries(names.map((name, i) => [`#p${i}`, name])),
});

const chosen = (item, names) => {
  const result = {};
  for (const name of names) if (name in item) result[name] = item[name];
  return result;
};

async function getUser(userId) {
  const { Item } = await client.send(new GetCommand({ TableName: process.env.USERS_TABLE, Key: { userId }, ...projection(USER) }));
  return chosen(Item, USER);
}

// The newest first of one partition of an index that is sorted by `sort` and `id`.
async function list(table, index, key, value, sort, id, names, limit) {
  const request = projection(names);
  request.ExpressionAttributeNames["#k"] = key;
  const { Items } = await client.send(
    new QueryCommand({
      TableName: table,
      IndexName: index,
      KeyConditionExpression: "#k = :k",
      ExpressionAttributeValues: { ":k": value },
      ScanIndexForward: false,
      Limit: limit + 1,
      ...request,
    }),
  );
  const items = Items.slice(0, limit).map((item) => chosen(item, names));
  const last = items.at(-1);
  const next =
    Items.length > limit ? Buffer.from(JSON.stringify({ [sort]: last[sort], [id]: last[id] })).toString("base64url") : null;
  return { items, page: { limit, next, prev: null } };
}

const listProducts = (limit) =>
  list(process.env.PRODUCTS_TABLE, "byShardCreatedAt", "shard", 0, "createdAt", "productId", SUMMARY, limit);

const listOrders = (userId, limit) =>
  list(process.env.ORDERS_TABLE, "byPlacedAt", "userId", userId, "placedAt", "orderId", ORDER, limit);

export async function handler(event) {
  const limit = Number(event.queryStringParameters?.limit ?? 25);
  const id = event.pathParameters?.userId;
  const body = await (event.rawPath.endsWith("/orders") ? listOrders(id, limit) : id ? getUser(id) : listProducts(limit));
  return { statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
