// The same routes with AWS SDK v3's document client, as a Lambda handler for API Gateway payload 2.0.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";

const USER = ["userId", "name", "email", "phone", "profilePicture", "birthDate", "address", "company", "createdAt", "updatedAt"];
const SUMMARY = ["productId", "name", "category", "brand", "price", "currency", "rating", "stock", "thumbnail", "createdAt"];

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

async function listProducts(limit) {
  const request = projection(SUMMARY);
  request.ExpressionAttributeNames["#k"] = "shard";
  const { Items } = await client.send(
    new QueryCommand({
      TableName: process.env.PRODUCTS_TABLE,
      IndexName: "byShardCreatedAt",
      KeyConditionExpression: "#k = :k",
      ExpressionAttributeValues: { ":k": 0 },
      ScanIndexForward: false,
      Limit: limit + 1,
      ...request,
    }),
  );
  const items = Items.slice(0, limit).map((item) => chosen(item, SUMMARY));
  const last = items.at(-1);
  const next =
    Items.length > limit
      ? Buffer.from(JSON.stringify({ createdAt: last.createdAt, productId: last.productId })).toString("base64url")
      : null;
  return { items, page: { limit, next, prev: null } };
}

export async function handler(event) {
  const body = event.rawPath.startsWith("/v1/users/")
    ? await getUser(event.pathParameters.id)
    : await listProducts(Number(event.queryStringParameters?.limit ?? 25));
  return { statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
