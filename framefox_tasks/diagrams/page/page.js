"use strict";

// Which table is shown follows the fragment of the address, so that links, back and forward work.

const THEME = "schema-page-theme";
const page = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");

const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const element = (name, className = "", textContent = "") =>
  Object.assign(document.createElement(name), { className, textContent });
const setAll = (node, attributes) =>
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));

// A browser may forbid storage to a page that is opened from disk; a choice then lasts as long as the page.
function withStorage(use) {
  try {
    return use(localStorage);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

const isDark = () => (page.dataset.theme ? page.dataset.theme === "dark" : systemDark.matches);

function setTheme(theme) {
  if (theme) page.dataset.theme = theme;
  else delete page.dataset.theme;
  one("[data-do=theme]")?.setAttribute("aria-pressed", isDark());
}

// What the system asks for anyway is not stored, so that the page goes on following the system.
function toggleTheme() {
  const dark = !isDark();
  const theme = dark === systemDark.matches ? "" : dark ? "dark" : "light";
  setTheme(theme);
  withStorage((storage) => (theme ? storage.setItem(THEME, theme) : storage.removeItem(THEME)));
}

// The key of the table that the address asks for. An address that somebody cut short may not be decodable.
function fragment() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch (error) {
    if (error instanceof URIError) return "";
    throw error;
  }
}

function start() {
  const data = JSON.parse(one('script[type="application/json"]').textContent);
  const view = new View(one(".canvas"));
  const selection = new Selection(data, view);
  const finder = new Finder(data.tables, (table, column) => choose(table, { column, focus: true }));
  const positions = new Map(data.tables.map((table, index) => [table.key, index]));
  const heading = document.title;
  let how = {}; // how the next table is to be shown, said by what asks for it

  // A table, and to which depth its neighbours are shown: #order~2 shows nothing but what is two relations away.
  function asked() {
    const text = fragment();
    if (positions.has(text)) return { table: positions.get(text), depth: null };
    const [, key, depth] = /^(.*)~(\d+)$/s.exec(text) ?? [];
    return positions.has(key) ? { table: positions.get(key), depth: Number(depth) } : { table: -1, depth: null };
  }

  function follow() {
    const { table, depth } = asked();
    selection.show(table, { ...how, depth });
    finder.show(table);
    document.title = table < 0 ? heading : `${data.tables[table].key} · ${heading}`;
    how = {};
  }

  function choose(table, options) {
    how = options;
    if (table !== selection.table || selection.depth !== null) location.hash = table < 0 ? "" : encodeURIComponent(data.tables[table].key);
    follow(); // at once: the browser tells of a changed fragment some time later
  }

  const actions = {
    theme: toggleTheme,
    in: () => view.zoom(1.3, null, true),
    out: () => view.zoom(1 / 1.3, null, true),
    fit: () => view.fit(true),
    show: () => choose(selection.table, {}),
    close: () => choose(-1, { focus: true }),
  };
  all("[data-do]").forEach((button) => button.addEventListener("click", actions[button.dataset.do]));
  window.addEventListener("hashchange", () => {
    const { table, depth } = asked();
    if (table !== selection.table || depth !== selection.depth) follow();
  });
  systemDark.addEventListener("change", () => setTheme(page.dataset.theme));
  listenToGrip(one(".grip"));
  listenToPicture(view, selection, choose);
  listenToKeys(view, selection, finder, actions);
  setTheme(page.dataset.theme);
  follow();
  page.classList.add("ready");
}

// The list of tables is as wide as one drags its border; the arrow keys move it too.
function listenToGrip(grip) {
  const set = (width) => {
    const chosen = between(width, 200, innerWidth / 2);
    page.style.setProperty("--side", `${chosen}px`);
    grip.setAttribute("aria-valuenow", Math.round(chosen));
  };
  const steps = { ArrowLeft: -20, ArrowRight: 20 };
  grip.addEventListener("pointerdown", (event) => grip.setPointerCapture(event.pointerId));
  grip.addEventListener("pointermove", (event) => grip.hasPointerCapture(event.pointerId) && set(event.clientX));
  grip.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.stopPropagation();
    set(one(".side").offsetWidth + steps[event.key]);
  });
}

function listenToPicture(view, selection, choose) {
  const tableOf = (event) => selection.nodes.indexOf(event.target.closest(".node"));
  view.canvas.addEventListener("click", (event) => {
    if (!view.dragged) choose(tableOf(event), { still: true });
    view.dragged = false;
  });
  view.canvas.addEventListener("keydown", (event) => {
    if (tableOf(event) < 0 || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    choose(tableOf(event), { still: true, focus: true });
  });
  view.canvas.addEventListener("focusin", ({ target }) => {
    if (target.matches(".node:focus-visible")) view.nudge(target);
  });
}

function listenToKeys(view, selection, finder, actions) {
  const search = () => {
    finder.input.focus();
    finder.input.select();
  };
  const pan = (x, y) => (event) => view.pan(x * (event.shiftKey ? 240 : 60), y * (event.shiftKey ? 240 : 60));
  const arrows = { ArrowLeft: pan(1, 0), ArrowRight: pan(-1, 0), ArrowUp: pan(0, 1), ArrowDown: pan(0, -1) };
  const keys = { "/": search, "+": actions.in, "=": actions.in, "-": actions.out, 0: actions.fit };
  keys["?"] = () => one(".help").togglePopover();
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const command = event.ctrlKey || event.metaKey;
    if (command && key.toLowerCase() === "k") search();
    else if (command || event.altKey || target === finder.input) return;
    else if (key in keys) keys[key]();
    else if (key in arrows && !target.closest(".panel, .help")) arrows[key](event);
    else if (key === "Escape" && selection.table >= 0 && !one(".help:popover-open")) actions.close();
    else return;
    event.preventDefault();
  });
}

page.classList.add("js");
setTheme(withStorage((storage) => storage.getItem(THEME)));
document.addEventListener("DOMContentLoaded", start);
