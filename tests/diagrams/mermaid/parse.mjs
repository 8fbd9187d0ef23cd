// Parses the diagrams of each line of stdin, a JSON list, and writes a line with what Mermaid understood, or its errors.
import { createInterface } from "node:readline";
import mermaid from "mermaid";

mermaid.initialize({ startOnLoad: false });

async function understood(diagram) {
  const { diagramType, config } = await mermaid.parse(diagram);
  const { db } = await mermaid.mermaidAPI.getDiagramFromText(diagram);
  const names = new Map([...db.getEntities()].map(([name, entity]) => [entity.id, name]));
  return {
    type: diagramType,
    config,
    direction: db.getDirection(),
    entities: [...db.getEntities()].map(([name, { attributes, cssClasses }]) => ({ name, attributes, classes: cssClasses })),
    relationships: db.getRelationships().map(({ entityA, entityB, roleA, relSpec }) => ({
      left: names.get(entityA),
      right: names.get(entityB),
      label: roleA,
      // Mermaid's A is the cardinality on the right.
      left_cardinality: relSpec.cardB,
      right_cardinality: relSpec.cardA,
      line: relSpec.relType,
    })),
  };
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const results = [];
  for (const diagram of JSON.parse(line)) {
    results.push(await understood(diagram).catch((error) => ({ error: String(error) })));
  }
  process.stdout.write(`${JSON.stringify(results)}\n`);
}
