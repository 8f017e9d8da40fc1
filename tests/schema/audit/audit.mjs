// Runs the audit of GraphQL over HTTP against URL with a bearer token, and prints its results as JSON. The packages are in the folder named first.
import { createRequire } from "node:module";

const [folder, url, token] = process.argv.slice(2);
const { auditServer } = createRequire(`${folder}/`)("graphql-http");
const asking = (target, init = {}) => fetch(target, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
const results = await auditServer({ url, fetchFn: asking });
const told = [];
for (const one of results) {
  told.push({ id: one.id, name: one.name, status: one.status, reason: one.status === "ok" ? "" : one.reason });
  if (one.status !== "ok") await one.response.body?.cancel?.().catch(() => {});
}
console.log(JSON.stringify(told));
