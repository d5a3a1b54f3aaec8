// urql walks connections both ways, with the trusted documents of a folder, by GET and by POST. What it finds is what the routes have.
//
//   node walk.mjs BASE TOKEN FOLDER
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Client, fetchExchange } from "@urql/core";

const [base, token, folder] = process.argv.slice(2);
const PAGE = 7;
// In development urql asks each document for its operation, and one that is only an id has none.
process.env.NODE_ENV = "production";

const die = (text) => {
  console.error(`graphql: ${text}`);
  process.exit(1);
};
const authorized = { headers: { authorization: `Bearer ${token}` } };
const same = (what, given, wanted) => {
  if (JSON.stringify(given) !== JSON.stringify(wanted)) die(`${what}: ${JSON.stringify(given)} in place of ${JSON.stringify(wanted)}`);
};

// A document without definitions, so that urql sends its id and no text.
const trusted = (name) => {
  const hash = createHash("sha256").update(readFileSync(`${folder}/${name}.graphql`)).digest("hex");
  return { kind: "Document", definitions: [], documentId: `sha256:${hash}` };
};

// The methods that were used and what was sent, to see that no text went over the wire.
const sent = [];
const client = (path, preferGetMethod, fetchOptions) =>
  new Client({
    url: `${base}${path}`,
    exchanges: [fetchExchange],
    preferGetMethod,
    requestPolicy: "network-only",
    fetchOptions,
    fetch: (url, options) => {
      sent.push({ method: options.method, text: `${url} ${options.body ?? ""}` });
      return fetch(url, options);
    },
  });

async function connection(of, document, variables, pick) {
  const { data, error } = await of.query(document, variables).toPromise();
  if (error || !data) die(`${document.documentId}: ${error}`);
  return pick(data);
}

// The nodes of all pages, from the first to the last, and back again from the end.
async function forwards(of, document, variables, pick) {
  const nodes = [];
  for (let after; ; ) {
    const { edges, pageInfo } = await connection(of, document, { ...variables, first: PAGE, after }, pick);
    nodes.push(...edges.map(({ node }) => node));
    if (!pageInfo.hasNextPage) return { nodes, end: pageInfo.endCursor };
    if (edges.length !== PAGE) die(`a page of ${edges.length}, and another follows`);
    after = pageInfo.endCursor;
  }
}

async function backwards(of, document, variables, before, pick) {
  const nodes = [];
  for (;;) {
    const { edges, pageInfo } = await connection(of, document, { ...variables, last: PAGE, before }, pick);
    nodes.unshift(...edges.map(({ node }) => node));
    if (!pageInfo.hasPreviousPage) return nodes;
    before = pageInfo.startCursor;
  }
}

async function rows(path, options) {
  const items = [];
  for (let cursor; ; ) {
    const response = await fetch(`${base}${path}&limit=100${cursor ? `&cursor=${cursor}` : ""}`, options);
    if (!response.ok) die(`${path}: ${response.status}`);
    const body = await response.json();
    items.push(...body.items);
    if (!body.page.next) return items;
    cursor = encodeURIComponent(body.page.next);
  }
}

const ids = (nodes, id) => nodes.map((node) => node[id]);
const products = ({ products }) => products;
const orders = ({ user }) => user.orders;

const catalogue = ids(await rows("/v1/products?sort=price_asc"), "productId");
const mine = ids(await rows("/v1/users/me/orders?sort=newest", authorized), "orderId");
for (const byGet of [true, false]) {
  const how = byGet ? "GET" : "POST";
  const everybody = client("/v1/graphql/public", byGet ? "force" : false);
  const document = trusted("both-ways");
  const { nodes, end } = await forwards(everybody, document, { sort: "price_asc" }, products);
  same(`products by ${how}`, ids(nodes, "productId"), catalogue);
  const back = await backwards(everybody, document, { sort: "price_asc" }, end, products);
  same(`products backwards by ${how}`, ids(back, "productId"), catalogue.slice(0, -1));
  const caller = client("/v1/graphql", byGet ? "force" : false, authorized);
  const found = await forwards(caller, trusted("account"), {}, orders);
  same(`orders by ${how}`, ids(found.nodes, "orderId"), mine);
}
if (sent.some(({ text }) => text.includes("products(")) || !sent.every(({ text }) => text.includes("documentId"))) die("a document went over the wire");
same("the methods", [...new Set(sent.map(({ method }) => method))], ["GET", "POST"]);
console.log(`graphql: urql walks ${catalogue.length} products both ways and ${mine.length} orders, in ${sent.length} requests that name a document`);
