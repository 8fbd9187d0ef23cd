// Draws diagrams one after the other, and gives back what can be read in the pictures.
async (diagrams) => {
  const texts = (picture, selector) => [...picture.querySelectorAll(selector)].map((element) => element.textContent);

  async function shown(diagram, index) {
    const picture = document.createElement("div");
    picture.innerHTML = (await mermaid.render(`diagram${index}`, diagram)).svg;
    document.body.append(picture);
    // A table without columns is another shape.
    const bare = [...picture.querySelectorAll(".node")].filter((node) => !node.querySelector(".name"));
    const result = {
      title: texts(picture, ".erDiagramTitleText").join(""),
      tables: [...texts(picture, ".name"), ...bare.map((node) => node.textContent)],
      types: texts(picture, ".attribute-type"),
      columns: texts(picture, ".attribute-name"),
      comments: texts(picture, ".attribute-comment"),
      labels: texts(picture, ".edgeLabel .label").filter((label) => label),
      markup: texts(picture, "strong, em, a, i, b, code, math, script"),
    };
    picture.remove();
    return result;
  }

  mermaid.initialize({ startOnLoad: false, theme: "default" });
  const results = [];
  for (const [index, diagram] of diagrams.entries()) {
    results.push(await shown(diagram, index).catch((error) => ({ error: String(error) })));
  }
  return results;
}
