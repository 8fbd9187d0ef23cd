// The table that is shown: its section in the panel, itself and its neighbours in the picture.

const MANY = 150; // so many relations are not dashed, because dashes are what a browser is slowest at

const svgElement = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);

const LEAST = 9; // pixels of a name when the page opens
const LETTERS = 3; // of its size: how wide the plate of a table is at least, unless its name is shorter
const LINE = 1.15; // of its size: from line to line

const pen = document.createElement("canvas").getContext("2d");
pen.font = "bold 100px Helvetica, Arial, sans-serif";

// How wide a text is in bold, of its size.
const widthOf = (text) => pen.measureText(text).width / 100;

// Pieces of a text in lines that fit.
function inLines(pieces, fits) {
  const lines = [""];
  for (const piece of pieces) {
    if (lines.at(-1) && !fits(lines.at(-1) + piece)) lines.push("");
    lines[lines.length - 1] += piece;
  }
  return lines.map((line) => line.trimEnd());
}

const wordsOf = (text) => text.split(/(?<=[_. -])/);

// A text of at most so many letters; what is in its middle is left out.
function cut(text, most) {
  if (text.length <= most) return text;
  const end = Math.max(Math.floor((most - 1) / 2), 1);
  return `${text.slice(0, Math.max(most - 1 - end, 1))}…${text.slice(-end)}`;
}

// The lines and the size with which a text is largest in a box; never smaller than this: then words are broken, and if
// that is not enough its middle is left out.
function fitted(text, width, height, least, most) {
  const sizeOf = (lines) => Math.min(width / Math.max(...lines.map(widthOf)), height / LINE / lines.length, most);
  const within = (count) => (line) => line.length <= Math.ceil(text.length / count);
  const tries = [1, 2, 3, 4].map((count) => inLines(wordsOf(text), within(count)));
  const lines = tries.reduce((best, other) => (sizeOf(other) > sizeOf(best) ? other : best));
  if (sizeOf(lines) >= least) return [lines, sizeOf(lines)];
  const fits = (line) => widthOf(line) * least <= width;
  const rows = Math.max(Math.floor(height / LINE / least), 1);
  const broken = wordsOf(text).flatMap((word) => (fits(word) ? [word] : inLines(word, fits)));
  const whole = inLines(broken, fits);
  if (whole.length <= rows) return [whole, least];
  for (let letters = text.length; letters > 3; letters--) {
    const short = inLines(cut(text, letters), fits);
    if (short.length <= rows) return [short, least];
  }
  return [[cut(text, 3)], least];
}

// What stands for a table or a group that is too small to be read: its name, as large as its box allows.
function nameplate(name, { x, y, width, height }, least, most = 60) {
  const plate = svgElement("text");
  const [lines, size] = fitted(name, 0.94 * width, 0.94 * height, least, most);
  setAll(plate, { class: "plate", "font-size": size });
  const top = y + height / 2 - ((lines.length - 1) * LINE * size) / 2 + 0.36 * size;
  lines.forEach((line, row) => {
    const part = Object.assign(svgElement("tspan"), { textContent: line });
    setAll(part, { x: x + width / 2, y: top + row * LINE * size });
    plate.append(part);
  });
  return plate;
}

// The same for a table; one that is far too small, as one with a single column is, gets a larger plate.
function roomy(name, box, least) {
  const width = Math.max(box.width, Math.min(widthOf(name), LETTERS) * least * 1.1);
  const height = Math.max(box.height, LINE * least * 1.1);
  const large = { x: box.x - (width - box.width) / 2, y: box.y - (height - box.height) / 2, width, height };
  const plate = nameplate(name, large, least);
  if (width === box.width && height === box.height) return [plate];
  const board = svgElement("rect");
  setAll(board, { class: "plate", fill: "#000000", ...large }); // it has the colour of the others
  return [board, plate];
}

class Selection {
  constructor({ tables, relations }, view) {
    Object.assign(this, { tables, relations, view, lit: [], table: -1, depth: null });
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
    // All sizes are asked for before the first change, since the browser lays all out anew in between.
    const boxes = this.nodes.map((node) => node.getBBox());
    const frames = all(".frame", this.view.svg).map((frame) => [frame, one("rect", frame).getBBox()]);
    const least = this.view.far(this.view.scale) ? 0 : LEAST / this.view.scale;
    this.tables.forEach(({ key, columns }, index) => {
      const node = this.nodes[index];
      setAll(node, { tabindex: 0, role: "button", "aria-label": `${key}, ${columns.length} columns` });
      node.append(...roomy(key, boxes[index], least));
      const lines = () => this.around(index)[1];
      node.addEventListener("pointerenter", () => lines().forEach((line) => line.classList.add("warm")));
      node.addEventListener("pointerleave", () => lines().forEach((line) => line.classList.remove("warm")));
    });
    frames.forEach(([frame, box]) => this.entitle(frame, box));
  }

  // The title of a group as large as it can be read, and what stands for all of it from afar.
  entitle(frame, { x, y, width, height }) {
    const title = one("text", frame);
    title.setAttribute("font-size", between(LEAST / this.view.scale, 34, 72));
    const strip = { x: x + 0.05 * width, y: y + 0.1 * height, width: 0.9 * width, height: 0.8 * height };
    const [name, count] = title.textContent.split(/ · (?=\d+ tables?$)/);
    const together = `${name} ${count.replace(" ", "\u00a0")}`; // the count on a line of its own, if it can be read
    const legible = fitted(together, strip.width, strip.height, 0, 240)[1] * this.view.scale >= LEAST;
    frame.append(nameplate(legible ? together : `${name} ${count}`, strip, 0, 240));
  }

  // The tables that are at most so many relations away, and the lines between them.
  around(table, depth = 1) {
    const tables = new Set([table]);
    const lines = new Set();
    for (let step = 0; step < depth; step++) {
      const reached = new Set(tables);
      this.relations.forEach((ends, index) => {
        if (!ends.some((end) => reached.has(end))) return;
        lines.add(index);
        ends.forEach((end) => tables.add(end));
      });
    }
    tables.delete(table);
    return [[...tables].map((index) => this.nodes[index]), [...lines].map((index) => this.edges[index])];
  }

  // Bring out a table and what is around it; give its neighbours.
  light(table, depth) {
    this.lit.forEach((group) => group.classList.remove("near", "chosen", "hit"));
    this.lit = [];
    this.ring.remove();
    const node = this.nodes[table];
    this.view.stage.classList.toggle("dimmed", Boolean(node));
    this.view.stage.classList.toggle("focused", Boolean(node) && depth !== null);
    if (!node) return [];
    const [tables, edges] = this.around(table, depth ?? 1);
    this.encircle(node);
    node.classList.add("chosen");
    [...tables, ...edges].forEach((group) => group.classList.add("near"));
    this.lit = [node, ...tables, ...edges];
    return tables;
  }

  encircle(node) {
    const { x, y, width, height } = one("rect", node).getBBox();
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

  show(table, { column, still, focus, depth }) {
    Object.assign(this, { table, depth });
    const neighbours = this.light(table, depth);
    this.tell(table);
    if (column !== undefined) this.point(table, column);
    const node = this.nodes[table];
    if (node && still) this.view.nudge(node);
    else if (node) this.view.reveal(node, neighbours);
    if (focus) (table < 0 ? this.view.canvas : this.panel).focus({ preventScroll: true });
  }
}
