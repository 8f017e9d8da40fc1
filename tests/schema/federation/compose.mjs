// Reads {subgraphs: [{name, sdl}], query} from stdin. Composes them, plans the query as a router does, and prints what it would ask of which subgraph.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.argv[2] + "/");
const { composeServices } = require("@apollo/composition");
const { QueryPlanner } = require("@apollo/query-planner");
const { operationFromDocument, Supergraph } = require("@apollo/federation-internals");
const { parse } = require("graphql");

const { subgraphs, query } = JSON.parse(readFileSync(0, "utf8"));
const composed = composeServices(subgraphs.map(({ name, sdl }) => ({ name, url: `http://${name}.invalid`, typeDefs: parse(sdl) })));
if (composed.errors) {
  console.log(JSON.stringify({ errors: composed.errors.map((error) => error.message) }));
} else {
  const supergraph = Supergraph.build(composed.supergraphSdl);
  const plan = new QueryPlanner(supergraph).buildQueryPlan(operationFromDocument(supergraph.apiSchema(), parse(query)));
  const fetches = [];
  const walk = (node) => {
    if (!node) return;
    if (node.kind === "Fetch") fetches.push({ subgraph: node.serviceName, requires: Boolean(node.requires), operation: node.operation });
    walk(node.node);
    (node.nodes ?? []).forEach(walk);
  };
  walk(plan.node);
  console.log(JSON.stringify({ fetches }));
}
