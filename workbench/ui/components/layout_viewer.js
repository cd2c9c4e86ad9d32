const views = new WeakMap();
const HATCH = "left-out";

// --- the image ---

function hatching() {
  const pattern = shape("pattern", {
    id: HATCH,
    width: 4.5,
    height: 4.5,
    patternUnits: "userSpaceOnUse",
    patternTransform: "rotate(45)",
  });
  pattern.append(shape("rect", { width: 1.4, height: 4.5 }));
  const definitions = shape("defs", {});
  definitions.append(pattern);
  return definitions;
}

function drawBlock(block, place) {
  const group = shape("g", { class: `block kind-${block.kind}`, "data-block": place });
  const rects = parted(block.rects);
  // What lies between the lines belongs to the block: the light must not go out on the way from one to the next.
  const ground = outline(rects);
  ground.setAttribute("class", "ground");
  group.append(ground, ...rects.map((rect) => rectangle(rect, { rx: 1.5, class: "line" })), outline(rects));
  if (block.number !== null && rects.length) {
    const [x, y, , bottom] = block.rects[0];
    const digits = String(block.number).length;
    const mark = shape("text", {
      class: "number",
      x: Math.max(x - 4, 5.5 * digits + 2),
      y: (y + bottom) / 2,
      "aria-hidden": true,
    });
    mark.textContent = block.number;
    group.append(mark);
  }
  return group;
}

// Numbers are as large on a narrow screen as on a wide one, though never smaller than small print.
function sizeNumbers(view) {
  const width = view.svg.getBoundingClientRect().width;
  if (width) view.svg.style.setProperty("--number", `${Math.max(8, (9.5 * view.data.width) / width)}px`);
}

function drawPage(view, data) {
  view.svg.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
  view.svg.setAttribute("preserveAspectRatio", "none");
  view.groups = data.blocks.map(drawBlock);
  view.svg.replaceChildren(hatching(), ...view.groups);
}

// --- the text ---

function writeText(view, data) {
  const unitAt = unitTable(data.text);
  const part = (from, to) => data.text.slice(unitAt(from), to === undefined ? undefined : unitAt(to));
  const fragment = document.createDocumentFragment();
  view.pieces = [];
  let at = 0;
  data.blocks.forEach((block, place) => {
    if (!block.span) return;
    const [from, to] = block.span;
    appendCells(fragment, part(at, from));
    const piece = make("span", `piece kind-${block.kind}`);
    piece.dataset.block = place;
    // Generated, so that selecting text does not catch it.
    const number = make("i", "number");
    number.dataset.number = block.number;
    number.setAttribute("aria-hidden", "true");
    piece.append(number);
    appendCells(piece, part(from, to));
    view.pieces[place] = piece;
    fragment.append(piece);
    at = to;
  });
  appendCells(fragment, part(at));
  if (!data.text.trim()) fragment.append(make("span", "empty", "There is no text on this page."));
  view.text.replaceChildren(fragment);
}

function writeLegend(view, data) {
  const entries = data.legend.map(({ kind, name }) => {
    const entry = make("span", `kind-${kind}`);
    entry.append(make("i", "swatch"), name);
    return entry;
  });
  view.legend.replaceChildren(...entries);
}

// --- light ---

function light(view, place) {
  if (view.lit === place) return;
  for (const lit of [view.groups[view.lit], view.pieces[view.lit]]) lit?.classList.remove("hot");
  view.lit = place;
  for (const lit of [view.groups[place], view.pieces[place]]) lit?.classList.add("hot");
}

// The text scrolls in its own box: the page around it stays where it is.
function revealText(view, place) {
  const piece = view.pieces[place];
  if (!piece) return;
  const box = view.text.getBoundingClientRect();
  const { top, bottom } = piece.getBoundingClientRect();
  if (top < box.top + 8) view.text.scrollTop += top - box.top - 24;
  else if (bottom > box.bottom) view.text.scrollTop += Math.min(top - box.top - 24, bottom - box.bottom + 24);
}

function step(view, by) {
  const count = view.data.blocks.length;
  if (!count) return;
  const from = view.pinned ?? (by > 0 ? -1 : count);
  pin(view, Math.max(0, Math.min(count - 1, from + by)));
}

function pin(view, place) {
  view.pinned = place;
  light(view, place);
  if (place === null) {
    view.live.textContent = "";
    return;
  }
  revealText(view, place);
  const { span, tip } = view.data.blocks[place];
  const unitAt = unitTable(view.data.text);
  const words = span ? view.data.text.slice(unitAt(span[0]), unitAt(span[1])).slice(0, 200) : "";
  view.live.textContent = [...tip, words].filter(Boolean).join(". ");
}

function listen(view) {
  const { svg, text, tip } = view;
  const placeOf = (event) => {
    const found = event.target.closest?.("[data-block]");
    return found ? Number(found.dataset.block) : null;
  };
  const rest = () => {
    light(view, view.pinned);
    hideTip(tip);
  };
  svg.addEventListener("pointermove", (event) => {
    const place = placeOf(event);
    if (place === null) {
      rest();
      return;
    }
    if (view.lit !== place) revealText(view, place);
    light(view, place);
    showTip(tip, event, view.data.blocks[place].tip);
  });
  text.addEventListener("pointermove", (event) => light(view, placeOf(event) ?? view.pinned));
  for (const side of [svg, text]) {
    side.addEventListener("pointerleave", rest);
    side.addEventListener("click", (event) => {
      const place = placeOf(event);
      // A click at the end of a selection is none.
      if (place !== null && document.getSelection()?.isCollapsed !== false) {
        pin(view, place === view.pinned ? null : place);
      }
    });
    side.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      const upDown = side === svg; // in the text these keys scroll
      if (event.key === "ArrowRight" || (upDown && event.key === "ArrowDown")) step(view, 1);
      else if (event.key === "ArrowLeft" || (upDown && event.key === "ArrowUp")) step(view, -1);
      else if (event.key === "Escape") pin(view, null);
      else return;
      event.preventDefault();
    });
  }
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".layout");
  let view = views.get(root);
  const fresh = !view;
  if (fresh) {
    view = {
      image: root.querySelector("img"),
      svg: root.querySelector("svg"),
      caption: root.querySelector("figcaption"),
      head: root.querySelector(".head"),
      text: root.querySelector(".text"),
      legend: root.querySelector(".legend"),
      live: root.querySelector(".silent"),
      tip: parentElement.querySelector(".tip"),
      groups: [],
      pieces: [],
    };
    views.set(root, view);
  }
  view.data = data;
  root.classList.toggle("dark", isDark(root));
  root.classList.toggle("drawn", data.drawn);
  if (view.imageSig !== data.image_sig) {
    view.image.style.aspectRatio = `${data.width} / ${data.height}`;
    view.image.src = data.image;
    view.imageSig = data.image_sig;
  }
  view.image.alt = data.alt;
  view.caption.textContent = data.caption;
  if (view.sig !== data.sig) {
    view.lit = view.pinned = null;
    drawPage(view, data);
    writeText(view, data);
    writeLegend(view, data);
    view.head.replaceChildren(make("span", "title", data.title));
    view.text.scrollTop = 0;
    view.sig = data.sig;
    view.svg.setAttribute("aria-label", "Blocks of this page in reading order. Arrow keys: next block.");
    view.text.setAttribute("aria-label", "Text of this page. Left and right arrow: next block.");
  }
  sizeNumbers(view);
  if (fresh) {
    listen(view);
    view.watch = new ResizeObserver(() => sizeNumbers(view));
    view.watch.observe(view.svg);
  }
  return () => {
    view.watch.disconnect();
    views.delete(root);
  };
}
