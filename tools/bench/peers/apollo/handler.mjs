// The GraphQL endpoint's schema on Apollo Server, with AWS SDK v3's document client and DataLoader, as a Lambda handler for API
// Gateway payload 2.0: what the benchmark asks, as their documentation writes it.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, DynamoDBDocumentClient, GetCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { ApolloServer } from "@apollo/server";
import { handlers, startServerAndCreateLambdaHandler } from "@as-integrations/aws-lambda";
import DataLoader from "dataloader";
import typeDefs from "./schema.graphql";

const { PRODUCTS_TABLE, USERS_TABLE, ORDERS_TABLE } = process.env;
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));

const cursorOf = (item, names) => Buffer.from(JSON.stringify(Object.fromEntries(names.map((name) => [name, item[name]])))).toString("base64url");

// A page of one partition, the newest first.
async function connection(TableName, IndexName, key, value, names, { first = 25, after }) {
  const { Items } = await client.send(
    new QueryCommand({
      TableName,
      IndexName,
      KeyConditionExpression: "#k = :k",
      ExpressionAttributeNames: { "#k": key },
      ExpressionAttributeValues: { ":k": value },
      ScanIndexForward: false,
      Limit: first + 1,
      ExclusiveStartKey: after && { [key]: value, ...JSON.parse(Buffer.from(after, "base64url")) },
    }),
  );
  const edges = Items.slice(0, first).map((node) => ({ node, cursor: cursorOf(node, names) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: Items.length > first,
      hasPreviousPage: Boolean(after),
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

const productLoader = () =>
  new DataLoader(async (ids) => {
    const Keys = ids.map((productId) => ({ productId }));
    const { Responses } = await client.send(new BatchGetCommand({ RequestItems: { [PRODUCTS_TABLE]: { Keys } } }));
    const found = new Map(Responses[PRODUCTS_TABLE].map((item) => [item.productId, item]));
    return ids.map((id) => found.get(id) ?? null);
  });

const resolvers = {
  Query: {
    products: (_, page) => connection(PRODUCTS_TABLE, "byShardCreatedAt", "shard", 0, ["createdAt", "productId"], page),
    async user(_, { userId }, { caller }) {
      const { Item } = await client.send(new GetCommand({ TableName: USERS_TABLE, Key: { userId: userId === "me" ? caller : userId } }));
      return Item;
    },
  },
  User: {
    orders: ({ userId }, page) => connection(ORDERS_TABLE, "byPlacedAt", "userId", userId, ["placedAt", "orderId"], page),
  },
  OrderItem: {
    product: ({ productId }, _, { products }) => products.load(productId),
  },
};

const server = new ApolloServer({ typeDefs, resolvers });

export const handler = startServerAndCreateLambdaHandler(server, handlers.createAPIGatewayProxyEventV2RequestHandler(), {
  context: async ({ event }) => ({
    caller: event.requestContext.authorizer?.jwt?.claims?.sub,
    products: productLoader(),
  }),
});
