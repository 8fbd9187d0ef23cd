// Parses the diagrams of a JSON list on stdin, and writes a JSON list of what Mermaid understood, or its error.
import { text } from "node:stream/consumers";
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

const results = [];
for (const diagram of JSON.parse(await text(process.stdin))) {
  results.push(await understood(diagram).catch((error) => ({ error: String(error) })));
}
process.stdout.write(JSON.stringify(results));
