// The picture: one CSS transform moves it and scales it. It is a layer of its own, which the browser draws once and then
// only shifts, as long as it lies on whole pixels.

const READABLE = 0.6; // the smallest scale at which a table's columns can be read
const TINY = 0.36; // below this scale, names take the place of columns
const FAR = 0.13; // below this scale, groups take the place of very many tables
const FARTHEST = 0.09; // and below this one those of any number, as on a phone
const VERY_MANY = 300; // tables
const LARGEST = 4;
const ABOVE = 12; // pixels that are left free when the picture is fitted
const BELOW = 62; // where the buttons are
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const between = (value, low, high) => Math.max(low, Math.min(value, high));

class View {
  constructor(canvas) {
    Object.assign(this, { canvas, x: 0, y: 0, scale: 1, fitted: true, fingers: new Map() });
    this.stage = one(".stage", canvas);
    this.svg = one("svg", this.stage);
    const { width, height } = this.svg.viewBox.baseVal;
    Object.assign(this, { width, height });
    setAll(this.svg, { width, height });
    this.grouped = all(".frame", this.svg).length > 1;
    this.many = all(".node", this.svg).length >= VERY_MANY;
    this.measure();
    new ResizeObserver(() => this.measure()).observe(canvas);
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    const lift = (event) => this.fingers.delete(event.pointerId);
    ["pointerup", "pointercancel"].forEach((name) => canvas.addEventListener(name, lift));
  }

  measure() {
    this.box = this.canvas.getBoundingClientRect();
    if (this.fitted) this.fit();
  }

  // How much of the canvas the panel leaves free; it stands at the right, or at the bottom of a narrow window.
  room() {
    const { left, top, width, height } = this.box;
    const cover = one(".panel").getBoundingClientRect();
    if (!cover.width) return { width, height };
    const below = cover.width > width * 0.7;
    return { width: below ? width : cover.left - left, height: below ? cover.top - top : height };
  }

  // Some of the picture always stays in sight.
  place(x, y, scale, glide = false) {
    this.scale = scale;
    this.x = between(x, 60 - this.width * scale, this.box.width - 60);
    this.y = between(y, 60 - this.height * scale, this.box.height - 60);
    this.fitted = false;
    this.draw(glide && !calm.matches);
    this.tell(`${Math.round(scale * 100)}%`);
  }

  // A text that is set anew has the page laid out, so it is set only when it is another.
  tell(percent) {
    if (percent !== this.told) one(".scale").textContent = this.told = percent;
  }

  // At once, or gliding. A CSS transition would make the browser draw all of a large picture at its full size first.
  draw(glide) {
    const to = [this.x, this.y, this.scale];
    const from = this.drawn ?? to;
    const begin = performance.now();
    const step = (now) => {
      const ahead = glide ? between(1 - (now - begin) / 250, 0, 1) ** 3 : 0;
      this.drawn = to.map((end, index) => end + (from[index] - end) * ahead);
      const [x, y, scale] = this.drawn;
      const [left, top] = [x, y].map((at) => Math.round(at * devicePixelRatio) / devicePixelRatio);
      this.stage.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
      this.stage.classList.toggle("tiny", scale < TINY);
      this.stage.classList.toggle("far", this.far(scale));
      if (ahead) this.frame = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.frame);
    step(begin);
  }

  // Whether groups stand for their tables at this scale.
  far(scale) {
    return this.grouped && scale < (this.many ? Math.max(FAR, this.whole() * 1.2) : FARTHEST);
  }

  pan(dx, dy) {
    this.place(this.x + dx, this.y + dy, this.scale);
  }

  zoom(factor, at, glide = false) {
    const { width, height } = this.room();
    const { x, y } = at || { x: width / 2, y: height / 2 };
    const scale = between(this.scale * factor, Math.min(this.whole() / 2, 0.5), LARGEST);
    const ratio = scale / this.scale;
    this.place(x - (x - this.x) * ratio, y - (y - this.y) * ratio, scale, glide);
  }

  // The scale at which all of the picture is in sight.
  whole() {
    return Math.max(Math.min((this.box.width - 48) / this.width, (this.box.height - ABOVE - BELOW) / this.height), 0.001);
  }

  fit(glide = false) {
    const scale = Math.min(this.whole(), 1.25);
    const { width, height } = this.box;
    this.place((width - this.width * scale) / 2, (height - BELOW + ABOVE - this.height * scale) / 2, scale, glide);
    this.fitted = true;
  }

  point(event) {
    return { x: event.clientX - this.box.left, y: event.clientY - this.box.top };
  }

  // A pinch on a touchpad arrives as a wheel with the control key.
  wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1);
    this.zoom(Math.exp(-between(pixels, -150, 150) * (event.ctrlKey ? 0.01 : 0.0018)), this.point(event));
  }

  press(event) {
    if (event.button !== 0) return;
    if (!this.fingers.size) this.dragged = false;
    this.start = this.point(event);
    this.fingers.set(event.pointerId, this.start);
  }

  // One finger moves the picture; two also change its scale, by how far they are apart.
  drag(event) {
    if (!this.fingers.has(event.pointerId)) return;
    const now = this.point(event);
    if (!this.dragged && Math.hypot(now.x - this.start.x, now.y - this.start.y) < 5) return;
    this.dragged = true;
    this.canvas.setPointerCapture(event.pointerId);
    const before = this.middle();
    this.fingers.set(event.pointerId, now);
    const after = this.middle();
    this.pan(after.x - before.x, after.y - before.y);
    if (this.fingers.size > 1) this.zoom(after.spread / (before.spread || 1), after);
  }

  middle() {
    const [a, b = a] = this.fingers.values();
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, spread: Math.hypot(a.x - b.x, a.y - b.y) };
  }

  // What groups of the picture cover, in the picture's own coordinates.
  bounds(groups) {
    const boxes = groups.map((group) => [group.getBBox(), group.getCTM()]);
    const left = Math.min(...boxes.map(([box, { e }]) => box.x + e));
    const top = Math.min(...boxes.map(([box, { f }]) => box.y + f));
    const right = Math.max(...boxes.map(([box, { e }]) => box.x + e + box.width));
    const bottom = Math.max(...boxes.map(([box, { f }]) => box.y + f + box.height));
    return { left, top, width: right - left, height: bottom - top };
  }

  // Show a table with its neighbours, or alone and readable where they are too far apart.
  reveal(node, neighbours) {
    const { width, height } = this.room();
    const around = this.bounds([node, ...neighbours]);
    const fitting = Math.min((width - 64) / around.width, (height - 64) / around.height, 1);
    const [box, scale] = fitting < READABLE ? [this.bounds([node]), 0.9] : [around, fitting];
    const x = width / 2 - (box.left + box.width / 2) * scale;
    const y = Math.max(height - box.height * scale, 32) / 2 - box.top * scale; // a tall table from its top
    this.place(x, y, scale, true);
  }

  // Move just as far as it takes to have a table in sight.
  nudge(node) {
    const room = this.room();
    const box = this.bounds([node]);
    const shift = (start, size, limit) => Math.max(Math.min(0, limit - 16 - start - size), 16 - start);
    const dx = shift(box.left * this.scale + this.x, box.width * this.scale, room.width);
    const dy = shift(box.top * this.scale + this.y, box.height * this.scale, room.height);
    if (dx || dy) this.place(this.x + dx, this.y + dy, this.scale, true);
  }
}
