// The table that is shown: its section in the panel, itself and its neighbours in the picture.

const MANY = 150; // so many relations are not dashed, because dashes are what a browser is slowest at

const svgElement = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);

// What stands for a table that is too small to be read: its name, as large as its box allows.
function nameplate(name, { x, y, width, height }) {
  const plate = Object.assign(svgElement("text"), { textContent: name });
  const size = Math.min((1.6 * width) / name.length, height / 2, 34);
  setAll(plate, { class: "plate", x: x + width / 2, y: y + height / 2 + 0.36 * size, "font-size": size });
  return plate;
}

class Selection {
  constructor({ tables, relations }, view) {
    Object.assign(this, { tables, relations, view, lit: [], table: -1 });
    const groups = new Map(all(".node, .edge", view.svg).map((group) => [group.id, group]));
    this.nodes = tables.map((_, index) => groups.get(`table-${index}`));
    this.edges = relations.map((_, index) => groups.get(`relation-${index}`));
    this.sections = one(".tables").children;
    this.panel = one(".panel");
    this.ring = svgElement("rect");
    view.stage.classList.toggle("large", relations.length > MANY);
    this.describe();
  }

  // To the keyboard and to a screen reader, the tables of the picture are buttons.
  describe() {
    this.tables.forEach(({ key, columns }, index) => {
      const node = this.nodes[index];
      setAll(node, { tabindex: 0, role: "button", "aria-label": `${key}, ${columns.length} columns` });
      node.append(nameplate(key, node.getBBox()));
    });
  }

  // The tables that refer to this one or that it refers to, and the lines between them.
  around(table) {
    const lines = this.relations.flatMap((ends, index) => (ends.includes(table) ? [index] : []));
    const tables = new Set(lines.flatMap((index) => this.relations[index]));
    tables.delete(table);
    return [[...tables].map((index) => this.nodes[index]), lines.map((index) => this.edges[index])];
  }

  // Bring out a table and what is around it; give its neighbours.
  light(table) {
    this.lit.forEach((group) => group.classList.remove("near", "chosen", "hit"));
    this.lit = [];
    this.ring.remove();
    const node = this.nodes[table];
    this.view.stage.classList.toggle("dimmed", Boolean(node));
    if (!node) return [];
    const [tables, edges] = this.around(table);
    this.encircle(node);
    node.classList.add("chosen");
    [...tables, ...edges].forEach((group) => group.classList.add("near"));
    this.lit = [node, ...tables, ...edges];
    return tables;
  }

  encircle(node) {
    const { x, y, width, height } = node.getBBox();
    setAll(this.ring, { class: "ring", rx: 5, x: x - 4, y: y - 4, width: width + 8, height: height + 8 });
    node.append(this.ring);
  }

  // Fill the panel with a copy of the table's section.
  tell(table) {
    const section = this.sections[table];
    this.panel.hidden = !section;
    if (!section) return;
    const body = one(".body", this.panel);
    body.replaceChildren(...section.cloneNode(true).childNodes);
    body.scrollTop = 0;
    this.panel.setAttribute("aria-label", `Table ${this.tables[table].key}`);
  }

  // Point to a column, in the panel and in the picture.
  point(table, column) {
    const row = all("tbody tr", this.panel)[column];
    row.classList.add("hit");
    row.scrollIntoView({ block: "center" });
    const [name] = this.tables[table].columns[column];
    const texts = this.nodes[table] ? all("text", this.nodes[table]) : [];
    const found = texts.filter((text) => text.textContent.trim() === name).slice(0, 1);
    found.forEach((text) => text.classList.add("hit"));
    this.lit.push(...found);
  }

  show(table, { column, still, focus }) {
    this.table = table;
    const neighbours = this.light(table);
    this.tell(table);
    if (column !== undefined) this.point(table, column);
    const node = this.nodes[table];
    if (node && still) this.view.nudge(node);
    else if (node) this.view.reveal(node, neighbours);
    if (focus) (table < 0 ? this.view.canvas : this.panel).focus({ preventScroll: true });
  }
}
