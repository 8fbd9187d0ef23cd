// The list of all tables, and what finds tables and columns among them.

const MOST_RESULTS = 300;

const folded = (text) => text.normalize().toLowerCase();

// What can be found: `name` alone, or `full` with its table, which is the `owner` of a column.
function entriesOf({ key, schema, comment, columns }, table) {
  const full = folded(key);
  const name = schema ? full.slice(folded(schema).length + 1) : full;
  const column = ([text, about], index) => {
    const own = folded(text);
    return { table, column: index, text, about, name: own, full: `${full}.${own}`, owner: full };
  };
  return [{ table, text: key, about: comment, name, full, owner: "" }, ...columns.map(column)];
}

// How well an entry answers: 0 it is what was typed, 1 it begins so, 2 a part of it does, 3 it holds it, 4 its comment
// does. A column must itself be meant: in "order.st" and in "order st" it is, in "order" only its table is.
function rank({ name, full, owner, about }, words) {
  const every = (text) => words.every((word) => text.includes(word));
  const meant = (word) => name.includes(word) || (full.includes(word) && !owner.includes(word));
  if ([name, full].includes(words.join(" "))) return 0;
  if (!every(full) || !words.some(meant)) return about && every(folded(about)) ? 4 : -1;
  const at = name.indexOf(words[0]);
  if (at === 0) return 1;
  return at > 0 && !/[\p{L}\p{N}]/u.test(name[at - 1]) ? 2 : 3;
}

const LONG = 26; // letters of a name
const END = 10; // of which so many stay where there is no room for all

// A name, of which the middle is left out where it is too long for the list.
function nameOf(text, words) {
  if (text.length <= LONG) return marked("span", "name", text, words);
  const made = element("span", "name long");
  made.title = text;
  made.append(marked("span", "", text.slice(0, -END), words), marked("span", "", text.slice(-END), words));
  return made;
}

// A text with every word that is in it marked.
function marked(name, className, text, words) {
  const made = element(name, className);
  const low = folded(text);
  for (let from = 0; from < text.length; ) {
    const hits = words.map((word) => ({ at: low.indexOf(word, from), length: word.length })).filter(({ at }) => at >= 0);
    const first = hits.sort((a, b) => a.at - b.at || b.length - a.length)[0] ?? { at: text.length, length: 0 };
    const end = first.at + first.length;
    made.append(text.slice(from, first.at));
    if (first.length) made.append(element("mark", "", text.slice(first.at, end)));
    from = end;
  }
  return made;
}

function told(found, query) {
  if (!found.length) return `Nothing is called “${query}”.`;
  const count = (number, noun) => (number ? [`${number} ${noun}${number === 1 ? "" : "s"}`] : []);
  const tables = found.filter((entry) => entry.column === undefined).length;
  const counts = [...count(tables, "table"), ...count(found.length - tables, "column")].join(", ");
  return found.length > MOST_RESULTS ? `${counts}, the first ${MOST_RESULTS} are shown` : counts;
}

class Finder {
  constructor(tables, choose) {
    Object.assign(this, { tables, choose, results: [], active: -1, chosen: -1 });
    this.input = one("#ff-search");
    this.list = one("#ff-list");
    this.entries = tables.flatMap(entriesOf);
    this.input.addEventListener("input", () => this.refresh());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("focus", () => this.open(true));
    this.input.addEventListener("blur", () => this.open(false));
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays where it is
    this.list.addEventListener("click", (event) => this.pick(event.target.closest("li")?.dataset.index));
    this.refresh();
  }

  // In a narrow window the list is there only while one types.
  open(opened) {
    one(".side").classList.toggle("open", opened);
    this.input.setAttribute("aria-expanded", opened);
    if (!opened) this.activate(-1);
  }

  find(words) {
    if (!words.length) return this.entries.filter((entry) => entry.column === undefined);
    this.entries.forEach((entry) => (entry.rank = rank(entry, words)));
    const order = (entry) => 2 * entry.rank + (entry.owner ? 1 : 0); // tables before columns
    return this.entries.filter((entry) => entry.rank >= 0).sort((a, b) => order(a) - order(b));
  }

  refresh() {
    const words = folded(this.input.value).split(/\s+/).filter(Boolean);
    const found = this.find(words);
    this.results = words.length ? found.slice(0, MOST_RESULTS) : found;
    this.list.replaceChildren(...this.results.map((entry, index) => this.option(entry, index, words)));
    this.list.scrollTop = 0;
    one("#ff-status").textContent = words.length ? told(found, this.input.value.trim()) : "";
    this.show(this.chosen);
    this.activate(words.length && found.length ? 0 : -1);
  }

  option({ table, column, text, about, rank: how }, index, words) {
    const option = element("li", column === undefined ? "" : "column");
    Object.assign(option, { id: `ff-option-${index}`, role: "option" });
    option.dataset.index = index;
    const { state } = this.tables[table];
    if (state && column === undefined) option.classList.add(state);
    const beside = column === undefined ? this.tables[table].columns.length : this.tables[table].key;
    option.append(nameOf(text, words), element("small", "", beside));
    if (words.length && how === 4) option.append(marked("small", "about", about, words));
    return option;
  }

  // Mark the table that the page shows.
  show(table) {
    this.chosen = table;
    one("[aria-current]", this.list)?.removeAttribute("aria-current");
    const index = this.results.findIndex((entry) => entry.table === table && entry.column === undefined);
    this.list.children[index]?.setAttribute("aria-current", "true");
    this.list.children[index]?.scrollIntoView({ block: "nearest" });
  }

  activate(index) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = index;
    const option = this.list.children[index];
    this.input.setAttribute("aria-activedescendant", option ? option.id : "");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const last = this.results.length - 1;
    if (event.key === "ArrowDown") this.activate(this.active < last ? this.active + 1 : 0);
    else if (event.key === "ArrowUp") this.activate(this.active > 0 ? this.active - 1 : last);
    else if (event.key === "Enter") this.pick(this.active);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  pick(index) {
    const entry = this.results[index];
    if (!entry) return;
    this.input.blur();
    this.choose(entry.table, entry.column);
  }

  close() {
    this.input.value = "";
    this.refresh();
    one(".canvas").focus();
  }
}
