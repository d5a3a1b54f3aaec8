// The audits of npm's graphql-http (GraphQL over HTTP): every MUST holds. Each SHOULD that does not is named, and how many MAY.
//
//   node audit.mjs URL
import { serverAudits } from "graphql-http";

const [url] = process.argv.slice(2);
const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) results.push(await audit.fn());
const broken = results.filter(({ status }) => status === "error");
for (const { status, id, name, reason } of results) {
  if (status === "error" || status === "warn") console.log(`graphql: ${status === "error" ? "MUST" : "SHOULD"} does not hold: ${id} ${name}: ${reason}`);
}
const may = results.filter(({ status }) => status === "notice").length;
const held = results.filter(({ status }) => status === "ok").length;
if (broken.length > 0 || held === 0) {
  console.error(`graphql: ${broken.length} of ${results.length} audits that MUST hold do not`);
  process.exit(1);
}
console.log(`graphql: ${held} of ${results.length} audits of graphql-http hold: every MUST; ${may} that a server MAY follow do not`);
