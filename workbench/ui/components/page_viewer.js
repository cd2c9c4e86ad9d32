const views = new WeakMap();
const HUES = 5;
const SMALLEST_DRAG = 3;

function tipLines(chunk) {
  const tokens = chunk.tokens === null ? [] : [`${shownNumber(chunk.tokens)} tokens`];
  const label = chunk.label || `Chunk ${chunk.id}`;
  return [...label.split("\n"), ...tokens];
}

function drawChunk(chunk) {
  const classes = ["chunk", chunk.dim && "dim", chunk.hit && "hit"].filter(Boolean).join(" ");
  const group = shape("g", { class: classes, tabindex: 0, role: "button", "aria-label": tipLines(chunk).join(", ") });
  group.style.setProperty("--c", `var(--chunk-${chunk.colour % HUES})`);
  // A bar in the margin joins the lines of a chunk for the eye; its colour is clear where tints are pale.
  const left = Math.min(...chunk.rects.map((rect) => rect[0]));
  const narrow = chunk.rects.every((rect) => rect[0] - left < 40);
  const rects = parted(chunk.rects);
  for (const rect of rects) group.append(rectangle(rect, { rx: 1.5 }));
  group.append(outline(rects));
  if (narrow && chunk.rects.length) {
    const top = Math.min(...chunk.rects.map((rect) => rect[1]));
    const bottom = Math.max(...chunk.rects.map((rect) => rect[3]));
    group.append(rectangle([left - 5, top, left - 2.6, bottom], { rx: 1.2, class: "edge" }));
  } else {
    for (const [x0, y0, , y1] of chunk.rects) group.append(rectangle([x0 - 3.4, y0, x0 - 1.6, y1], { class: "edge" }));
  }
  if (chunk.mark && chunk.rects.length) {
    const [first, y] = chunk.rects[0];
    const x = narrow ? left : first;
    const mark = shape("text", { class: "number", x: Math.max(x - 7, 12), y: y + 8, "aria-hidden": true });
    mark.textContent = chunk.mark;
    group.append(mark);
  }
  return group;
}

function draw(view, data) {
  view.svg.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
  view.svg.setAttribute("preserveAspectRatio", "none");
  view.groups = new Map(data.chunks.map((chunk) => [drawChunk(chunk), chunk]));
  const order = [...view.groups.keys()].sort((a, b) => a.classList.contains("hit") - b.classList.contains("hit"));
  const marks = data.marks.map((rect) => rectangle(rect, { class: "mark", rx: 1 }));
  view.svg.replaceChildren(...order, ...marks);
  // The image gives the sheet its height: before it is there, nothing has a place to scroll to.
  if (data.scroll_to_hit) {
    const show = () => view.svg.querySelector(".hit rect")?.scrollIntoView({ block: "center" });
    const image = view.sheet.querySelector("img");
    if (image.complete && image.naturalHeight) requestAnimationFrame(show);
    else image.addEventListener("load", show, { once: true });
  }
}

function choose(view, id) {
  for (const [group, chunk] of view.groups) {
    group.classList.toggle("chosen", chunk.id === id);
    group.setAttribute("aria-pressed", chunk.id === id);
  }
}

function listen(view) {
  const { sheet, svg, tip } = view;
  const groupOf = (event) => event.target.closest?.(".chunk");
  const point = (event) => {
    const box = svg.getBoundingClientRect();
    const within = (value, most) => Math.max(0, Math.min(most, value));
    return [
      within(((event.clientX - box.left) / box.width) * view.data.width, view.data.width),
      within(((event.clientY - box.top) / box.height) * view.data.height, view.data.height),
    ];
  };
  const click = (group) => {
    const chunk = view.groups.get(group);
    choose(view, chunk.id);
    view.send("clicked", { id: chunk.id });
  };
  let from = null;
  let drawn = null;
  let pressed = null;
  const corners = (to) => [
    Math.min(from[0], to[0]),
    Math.min(from[1], to[1]),
    Math.max(from[0], to[0]),
    Math.max(from[1], to[1]),
  ];
  const release = () => {
    drawn?.remove();
    [from, drawn, pressed] = [null, null, null];
  };
  sheet.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pressed = groupOf(event) ?? null;
    from = point(event);
    if (!view.data.markable) return;
    sheet.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  sheet.addEventListener("pointermove", (event) => {
    if (from && view.data.markable) {
      hideTip(tip);
      drawn?.remove();
      drawn = rectangle(corners(point(event)), { class: "drawn" });
      svg.append(drawn);
      return;
    }
    const group = groupOf(event);
    if (group) showTip(tip, event, tipLines(view.groups.get(group)));
    else hideTip(tip);
  });
  sheet.addEventListener("pointerleave", () => hideTip(tip));
  sheet.addEventListener("pointerup", (event) => {
    if (!from) return;
    const rect = corners(point(event)).map((value) => Math.round(value * 100) / 100);
    const dragged = rect[2] - rect[0] > SMALLEST_DRAG && rect[3] - rect[1] > SMALLEST_DRAG;
    const group = pressed;
    release();
    if (dragged && view.data.markable) view.send("rectangle", rect);
    else if (group && view.groups.has(group)) click(group);
  });
  sheet.addEventListener("pointercancel", release);
  sheet.addEventListener("keydown", (event) => {
    const group = groupOf(event);
    if (!group || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    click(group);
  });
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".page");
  let view = views.get(root);
  const fresh = !view;
  if (fresh) {
    view = {
      sheet: root.querySelector(".sheet"),
      image: root.querySelector("img"),
      svg: root.querySelector("svg"),
      caption: root.querySelector("figcaption"),
      tip: parentElement.querySelector(".tip"),
    };
    views.set(root, view);
  }
  view.send = setTriggerValue;
  view.data = data;
  root.style.maxWidth = data.max_width ? `${data.max_width}px` : "none";
  if (view.imageSig !== data.image_sig) {
    view.image.style.aspectRatio = `${data.width} / ${data.height}`;
    view.image.src = data.image;
    view.imageSig = data.image_sig;
  }
  view.image.alt = data.alt;
  view.svg.setAttribute("aria-label", "Chunks on this page");
  view.caption.textContent = data.caption;
  view.sheet.classList.toggle("markable", data.markable);
  const redrawn = view.sig !== data.sig;
  if (redrawn) {
    draw(view, data);
    view.sig = data.sig;
  }
  if (redrawn || view.wish !== data.selected) {
    view.wish = data.selected;
    choose(view, data.selected);
  }
  if (fresh) listen(view);
  return () => views.delete(root);
}
