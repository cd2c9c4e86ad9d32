const views = new WeakMap();
const SHADES = 32;
const DRAG = 4;
// Lightness runs one way in each, so that the order is seen without reading colours.
const SCALES = {
  light: ["#a9cbe3", "#6faed3", "#3f86bd", "#4a5aa8", "#4c2a7d", "#36104f"],
  dark: ["#4a5596", "#3f7db6", "#3fa7b5", "#6ac79b", "#b3df7f", "#f5ee9e"],
};
const PLAIN = ["#3a6fb5", "#cf7a2c", "#35936f", "#8660b0", "#bd5068", "#66832f", "#2a8f9f", "#866d50"];

function mixed(stops, share) {
  const at = share * (stops.length - 1);
  const i = Math.min(Math.floor(at), stops.length - 2);
  const part = (hex, n) => parseInt(hex.slice(1 + 2 * n, 3 + 2 * n), 16);
  const channel = (n) => Math.round(part(stops[i], n) + (at - i) * (part(stops[i + 1], n) - part(stops[i], n)));
  return `rgb(${channel(0)} ${channel(1)} ${channel(2)})`;
}

function readTheme(view) {
  const style = getComputedStyle(view.root);
  view.dark = isDark(view.root);
  view.root.classList.toggle("dark", view.dark);
  const theme = style.getPropertyValue("--st-chart-categorical-colors").split(",").map((c) => c.trim());
  const colours = theme.length > 1 ? theme : PLAIN;
  view.paper = style.getPropertyValue("--st-background-color").trim() || "#fff";
  view.ink = style.getPropertyValue("--st-text-color").trim() || "#000";
  view.accent = getComputedStyle(view.root).getPropertyValue("--question").trim();
  const { colour } = view.data;
  if (colour.kind === "scale") {
    const stops = SCALES[view.dark ? "dark" : "light"];
    view.colours = Array.from({ length: SHADES }, (_, i) => mixed(stops, i / (SHADES - 1)));
    view.colours.push(view.dark ? "#5c6470" : "#b4bac2");
  } else if (colour.kind === "groups") {
    const other = view.dark ? "#77808c" : "#8d96a3";
    view.colours = colour.legend.map((entry, i) => (entry.other ? other : colours[i % colours.length]));
  } else {
    view.colours = [colours[0]];
  }
  view.channels = view.colours.map(channels);
  view.paperChannels = channels(view.paper);
}

// --- drawing ---

function placing(view) {
  const { scale, x, y } = view.camera;
  const [middleX, middleY] = [view.width / 2, view.height / 2];
  return { x: (value) => (value - x) * scale + middleX, y: (value) => middleY - (value - y) * scale };
}

const isLit = (view, i) => !view.lit.size || view.lit.has(view.codes[i]);
const isClear = (view, i) => isLit(view, i) && (!view.selection || view.selection[i] === 1);

function drawPoints(view, ratio) {
  const { points, codes, layer } = view;
  const place = placing(view);
  const count = points.x.length;
  const base = count > 8000 ? 1.7 : count > 2000 ? 2.2 : count > 400 ? 3 : 4;
  view.radius = Math.min(6, base * Math.max(1, view.camera.scale / view.fit.scale) ** 0.35);
  const mask = dotMask(view.radius * ratio);
  view.image = paintedPixels(view.image, layer.width, layer.height, view.paperChannels);
  const { image } = view;
  const faint = view.lit.size || view.selection;
  const half = (mask.side - 1) / 2;
  const stampAll = (strength, wanted) => {
    for (let i = 0; i < count; i += 1) {
      if (!wanted(i)) continue;
      const left = Math.round(place.x(points.x[i]) * ratio - half);
      const top = Math.round(place.y(points.y[i]) * ratio - half);
      if (left > -mask.side && top > -mask.side && left < layer.width && top < layer.height) {
        stamp(image, mask, left, top, view.channels[codes[i]], strength);
      }
    }
  };
  if (faint) stampAll(0.12, (i) => !isClear(view, i));
  const rest = view.data.colour.legend?.findIndex((entry) => entry.other) ?? -1;
  // What has no colour of its own lies below what has one.
  if (rest >= 0) stampAll(0.6, (i) => codes[i] === rest && isClear(view, i));
  stampAll(0.8, (i) => codes[i] !== rest && isClear(view, i));
  layer.getContext("2d").putImageData(image, 0, 0);
}

function ring(pen, x, y, radius, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.stroke();
}

// Lines to the true nearest neighbours: short ones where the picture tells the truth.
function drawNeighbours(view, pen, place, i) {
  const { neighbours, points } = view;
  if (!neighbours || i < 0 || i >= points.x.length) return;
  const [x, y] = [place.x(points.x[i]), place.y(points.y[i])];
  for (const [colour, width, alpha] of [[view.paper, 3, 0.7], [view.ink, 1, 0.85]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.globalAlpha = alpha;
    pen.beginPath();
    for (let n = 0; n < neighbours.each; n += 1) {
      const other = neighbours.rows[i * neighbours.each + n];
      pen.moveTo(x, y);
      pen.lineTo(place.x(points.x[other]), place.y(points.y[other]));
    }
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

function drawQuestion(view, pen, place) {
  const { question, hits } = view.data;
  const from = question && [place.x(question[0]), place.y(question[1])];
  const spots = hits.map((i) => [place.x(view.points.x[i]), place.y(view.points.y[i])]);
  const line = (x0, y0, x1, y1) => {
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.stroke();
  };
  for (const [colour, width, alpha] of [[view.paper, 3.5, 0.75], [view.accent, 1.3, 0.9]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.globalAlpha = alpha;
    if (from) for (const spot of spots) line(...from, ...spot);
  }
  pen.globalAlpha = 1;
  for (const spot of spots) {
    ring(pen, ...spot, view.radius + 3.4, view.paper, 4);
    ring(pen, ...spot, view.radius + 3.4, view.accent, 2);
  }
  const taken = from ? [from] : [];
  pen.font = `650 11px ${getComputedStyle(view.root).fontFamily}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  spots.forEach((spot, i) => {
    const at = badgePlace(spot, from, taken);
    taken.push(at);
    pen.fillStyle = view.accent;
    pen.strokeStyle = view.paper;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(...at, 8, 0, 7);
    pen.fill();
    pen.stroke();
    pen.fillStyle = view.dark ? "#14181f" : "#fff";
    pen.fillText(String(i + 1), at[0], at[1] + 0.5);
  });
  if (!from) return;
  pen.beginPath();
  for (const [dx, dy] of [[0, -10], [10, 0], [0, 10], [-10, 0]]) pen.lineTo(from[0] + dx, from[1] + dy);
  pen.closePath();
  pen.fillStyle = view.accent;
  pen.strokeStyle = view.paper;
  pen.lineWidth = 2;
  pen.fill();
  pen.stroke();
  pen.fillStyle = view.dark ? "#14181f" : "#fff";
  pen.fillText("?", from[0], from[1] + 0.5);
}

function drawLasso(view, pen) {
  if (!view.lasso) return;
  pen.strokeStyle = view.ink;
  pen.fillStyle = view.ink;
  pen.lineWidth = 1.3;
  pen.setLineDash([5, 4]);
  pen.beginPath();
  for (const corner of view.lasso) pen.lineTo(...corner);
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 0.06;
  pen.fill();
  pen.globalAlpha = 1;
}

function draw(view) {
  view.frame = 0;
  const started = performance.now();
  const ratio = devicePixelRatio || 1;
  [view.width, view.height] = [view.field.clientWidth, view.field.clientHeight];
  if (!view.width || !view.height) return;
  const size = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
  if (view.canvas.width !== size[0] || view.canvas.height !== size[1]) {
    for (const canvas of [view.canvas, view.layer]) [canvas.width, canvas.height] = size;
    view.stale = true;
  }
  view.fit = fitted(view.points, view.data.question, view.width, view.height);
  view.camera ??= { ...view.fit };
  // Hovering and the lasso change the upper canvas only.
  if (view.stale) drawPoints(view, ratio);
  view.stale = false;
  const pen = view.canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, view.width, view.height);
  const place = placing(view);
  drawNeighbours(view, pen, place, view.under >= 0 ? view.under : view.picked);
  for (const [i, width] of [[view.picked, 2.2], [view.under, 1.4], ...view.data.marked.map((i) => [i, 2.2])]) {
    if (i >= 0 && i < view.points.x.length) {
      ring(pen, place.x(view.points.x[i]), place.y(view.points.y[i]), view.radius + 3, view.ink, width);
    }
  }
  drawQuestion(view, pen, place);
  drawLasso(view, pen);
  view.root.dataset.drawMs = (performance.now() - started).toFixed(1);
  view.root.dataset.camera = [view.camera.scale, view.camera.x, view.camera.y].map((v) => v.toPrecision(8)).join(" ");
}

function redraw(view, { points = true } = {}) {
  view.stale ||= points;
  view.frame ||= requestAnimationFrame(() => draw(view));
}

// --- legend, foot ---

function drawLegend(view) {
  const { colour } = view.data;
  if (colour.kind === "scale") {
    const bar = document.createElement("div");
    bar.className = "scale";
    bar.style.background = `linear-gradient(90deg, ${view.colours.slice(0, SHADES).join(", ")})`;
    const word = (text) => Object.assign(document.createElement("span"), { textContent: text });
    const digits = Math.abs(colour.high - colour.low) < 10 ? 2 : 0;
    const shown = (value) => value.toLocaleString("en-US", { maximumFractionDigits: digits });
    view.legend.replaceChildren(word(colour.label), word(shown(colour.low)), bar, word(shown(colour.high)));
    return;
  }
  const entries = colour.kind === "groups" ? colour.legend : [];
  view.legend.replaceChildren(
    ...entries.map((entry, code) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = "chip";
      chip.title = `${entry.name}: ${shownNumber(entry.count)} ${view.data.noun}`;
      chip.style.setProperty("--c", view.colours[code]);
      const name = Object.assign(document.createElement("span"), { textContent: entry.name, dir: "auto" });
      chip.append(document.createElement("i"), name);
      chip.addEventListener("click", () => {
        if (!view.lit.delete(code)) view.lit.add(code);
        markLegend(view);
        redraw(view);
      });
      return chip;
    }),
  );
  markLegend(view);
}

function markLegend(view) {
  view.legend.classList.toggle("some", view.lit.size > 0);
  view.legend.querySelectorAll(".chip").forEach((chip, code) => chip.setAttribute("aria-pressed", view.lit.has(code)));
}

function say(view) {
  const count = view.points.x.length;
  const { noun } = view.data;
  const selected = view.selection ? view.selection.reduce((sum, one) => sum + one, 0) : 0;
  const text = view.selection
    ? `${shownNumber(selected)} of ${shownNumber(count)} ${noun} selected`
    : `${shownNumber(count)} ${noun}`;
  if (view.said.textContent !== text) view.said.textContent = text;
  view.hint.textContent = view.selection
    ? "Click an empty spot or press Esc to take the selection back"
    : view.tool === "lasso"
      ? "Draw around points to select · click one to open it · wheel to zoom"
      : "Drag to move · click a point to open it · wheel to zoom";
  const groups = view.data.colour.kind === "groups" ? `, coloured in ${view.data.colour.legend.length} groups` : "";
  const hits = view.data.hits.length ? `, the question and ${view.data.hits.length} hits` : "";
  view.canvas.setAttribute("aria-label", `Map of ${text}${groups}${hits}. Arrow keys move, plus and minus zoom.`);
}

function useTool(view, tool) {
  view.tool = tool;
  view.canvas.classList.toggle("move", tool === "move");
  for (const button of view.root.querySelectorAll("[data-tool]")) {
    const name = button.dataset.tool;
    if (name === "lasso" || name === "move") button.setAttribute("aria-pressed", name === tool);
  }
  say(view);
}

// --- moving and choosing ---

function zoom(view, factor, at = [view.width / 2, view.height / 2]) {
  const { camera, fit } = view;
  const [dx, dy] = [at[0] - view.width / 2, view.height / 2 - at[1]];
  const scale = Math.max(fit.scale * 0.4, Math.min(fit.scale * 400, camera.scale * factor));
  camera.x += dx / camera.scale - dx / scale;
  camera.y += dy / camera.scale - dy / scale;
  camera.scale = scale;
  redraw(view);
}

function move(view, dx, dy) {
  view.camera.x -= dx / view.camera.scale;
  view.camera.y += dy / view.camera.scale;
  redraw(view);
}

function select(view, indexes, tell) {
  view.selection = null;
  if (indexes.length) {
    view.selection = new Uint8Array(view.points.x.length);
    for (const i of indexes) view.selection[i] = 1;
  }
  say(view);
  redraw(view);
  if (tell) view.send("lasso", { indexes });
}

function hover(view, event, at) {
  const found = nearest(view.points, placing(view), at, 10, (i) => isClear(view, i));
  if (found !== view.under) {
    view.under = found;
    redraw(view, { points: false });
  }
  if (found < 0) {
    hideTip(view.tip);
    return;
  }
  const { colour, labels, hits } = view.data;
  const rank = hits.indexOf(found);
  const group = colour.kind === "groups" ? colour.legend[view.codes[found]] : null;
  const label = labels[found] ?? `Point ${shownNumber(found + 1)}`;
  const place = group && !group.other ? [group.name] : [];
  showTip(view.tip, event, [label, ...place, ...(rank < 0 ? [] : [`Hit ${rank + 1}`])]);
}

function click(view, at) {
  const found = nearest(view.points, placing(view), at, 10, (i) => isClear(view, i));
  view.picked = found;
  redraw(view, { points: false });
  if (found >= 0) view.send("clicked", { index: found });
  else if (view.selection) select(view, [], true);
}

function listenToPointers(view) {
  const { canvas } = view;
  const fingers = new Map();
  let drag = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const pinch = () => {
    const [a, b] = [...fingers.values()];
    return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], wide: Math.hypot(a[0] - b[0], a[1] - b[1]) || 1 };
  };
  const drop = (event) => {
    fingers.delete(event.pointerId);
    if (fingers.size) return;
    drag = null;
    view.lasso = null;
    redraw(view, { points: false });
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    hideTip(view.tip);
    if (fingers.size === 1) {
      drag = { from: at(event), last: at(event), far: false, moves: view.tool === "move" || event.shiftKey };
    } else {
      drag = { pinch: pinch(), far: true, moves: true };
      view.lasso = null;
    }
  });
  canvas.addEventListener("pointermove", (event) => {
    const now = at(event);
    if (!drag) {
      hover(view, event, now);
      return;
    }
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, now);
    if (drag.pinch) {
      if (fingers.size < 2) return;
      const next = pinch();
      move(view, next.middle[0] - drag.pinch.middle[0], next.middle[1] - drag.pinch.middle[1]);
      zoom(view, next.wide / drag.pinch.wide, next.middle);
      drag.pinch = next;
      return;
    }
    drag.far ||= Math.hypot(now[0] - drag.from[0], now[1] - drag.from[1]) > DRAG;
    if (!drag.far) return;
    if (drag.moves) move(view, now[0] - drag.last[0], now[1] - drag.last[1]);
    else (view.lasso ??= [drag.from]).push(now);
    drag.last = now;
    redraw(view, { points: false });
  });
  canvas.addEventListener("pointerup", (event) => {
    const [ended, polygon] = [drag, view.lasso];
    drop(event);
    if (!ended || ended.pinch) return;
    if (!ended.far) click(view, at(event));
    else if (polygon && polygon.length > 2) {
      select(view, inside(view.points, placing(view), polygon, (i) => isLit(view, i)), true);
    }
  });
  canvas.addEventListener("pointercancel", drop);
  canvas.addEventListener("pointerleave", () => {
    hideTip(view.tip);
    if (view.under >= 0) redraw(view, { points: false });
    view.under = -1;
  });
  canvas.addEventListener("dblclick", () => reset(view));
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      // Some browsers count lines, some pixels.
      const pixels = event.deltaY * (event.deltaMode === 1 ? 20 : 1);
      zoom(view, Math.exp(-Math.max(-240, Math.min(240, pixels)) * 0.0018), at(event));
    },
    { passive: false },
  );
}

function reset(view) {
  view.camera = null;
  redraw(view);
}

function listen(view) {
  listenToPointers(view);
  const tools = {
    lasso: () => useTool(view, "lasso"),
    move: () => useTool(view, "move"),
    nearer: () => zoom(view, 1.5),
    farther: () => zoom(view, 1 / 1.5),
    fit: () => reset(view),
  };
  for (const button of view.root.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", tools[button.dataset.tool]);
  }
  view.canvas.addEventListener("keydown", (event) => {
    const keys = {
      ArrowLeft: () => move(view, 60, 0),
      ArrowRight: () => move(view, -60, 0),
      ArrowUp: () => move(view, 0, 60),
      ArrowDown: () => move(view, 0, -60),
      "+": tools.nearer,
      "=": tools.nearer,
      "-": tools.farther,
      0: tools.fit,
      Escape: () => view.selection && select(view, [], true),
    };
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
  view.observer = new ResizeObserver(() => redraw(view));
  view.observer.observe(view.field);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".map");
  let view = views.get(root);
  const fresh = !view;
  if (fresh) {
    view = { root, tip: parentElement.querySelector(".tip"), under: -1, lit: new Set(), frame: 0 };
    for (const name of ["canvas", "layer", "field", "legend", "said", "hint"]) {
      view[name] = root.querySelector(`.${name}`);
    }
    views.set(root, view);
  }
  view.send = setTriggerValue;
  view.data = data;
  view.field.style.height = `${data.height}px`;
  if (view.sig !== data.sig) {
    view.points = { x: decoded(data.x, Float32Array), y: decoded(data.y, Float32Array) };
    [view.camera, view.selection, view.picked, view.under] = [null, null, -1, -1];
    view.sig = data.sig;
  }
  view.neighbours = data.neighbours && {
    each: data.neighbours.each,
    rows: view.nearText === data.neighbours.rows ? view.neighbours.rows : decoded(data.neighbours.rows, Int32Array),
  };
  view.nearText = data.neighbours?.rows;
  if (view.look !== data.look) {
    view.codes = decoded(data.codes, Uint8Array);
    view.lit = new Set();
    view.look = data.look;
  }
  readTheme(view);
  drawLegend(view);
  if (fresh) {
    listen(view);
    useTool(view, "lasso");
  }
  say(view);
  redraw(view);
  return () => {
    view.observer?.disconnect();
    cancelAnimationFrame(view.frame);
    views.delete(root);
  };
}
