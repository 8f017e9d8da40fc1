// PostGraphile 5 over the hub's tables, as its documentation says to serve it, with nothing that would cost it anything: no watching, no GraphiQL, no introspection of
// other schemas, no row-level security (it comes as superuser). The hub's tables name no foreign keys, so the relations are told as smart tags.
import { createServer } from "node:http";
import { makePgService } from "postgraphile/adaptors/pg";
import { postgraphile } from "postgraphile";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makeV4Preset } from "postgraphile/presets/v4";
import { makePgSmartTagsPlugin } from "postgraphile/utils";
import { grafserv } from "postgraphile/grafserv/node";

const toCustomer = "(customer_id) references customer (customer_id)";
const tables = ["connection", "evaluation", "fact_order", "fact_tax_return", "fact_social_insurance_contribution"];
const tags = tables.map((name) => ({ kind: "class", match: `public.${name}`, tags: { foreignKey: toCustomer } }));
tags.push({
  kind: "class",
  match: "public.feature_value",
  tags: { foreignKey: "(customer_id, evaluation_id) references evaluation (customer_id, evaluation_id)" },
});

const preset = {
  extends: [PostGraphileAmberPreset, makeV4Preset({ simpleCollections: "both", disableDefaultMutations: true })],
  plugins: [makePgSmartTagsPlugin(tags)],
  gather: { pgStrictFunctions: true, pgFilter: undefined },
  schema: { defaultBehavior: "+condition +orderBy" },
  pgServices: [makePgService({ connectionString: process.argv[2], schemas: ["public"], poolConfig: { max: 10 } })],
  grafserv: { port: 0, graphqlPath: "/graphql", graphiql: false, watch: false, graphqlOverGET: false },
  grafast: { explain: false },
};

const server = createServer();
server.on("error", (error) => { console.error(error); process.exit(1); });
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/graphql`));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
