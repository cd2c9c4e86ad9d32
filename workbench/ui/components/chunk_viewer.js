const views = new WeakMap();
const HUES = 5;
const hue = (ordinal) => `var(--chunk-${ordinal % HUES})`;

// All borders of segments and marks, as pieces [from, to, owners, mark] that cover the whole text.
function pieces(length, segments, marks) {
  const result = [];
  let mark = 0;
  const add = (from, to, owners) => {
    while (from < to) {
      while (mark < marks.length && marks[mark][1] <= from) mark += 1;
      const inside = mark < marks.length && marks[mark][0] <= from;
      const border = mark < marks.length ? marks[mark][inside ? 1 : 0] : to;
      const end = Math.min(to, border);
      result.push([from, end, owners, inside ? marks[mark] : null]);
      from = end;
    }
  };
  let position = 0;
  for (const [from, to, owners] of segments) {
    add(position, from, []);
    add(from, to, owners);
    position = to;
  }
  add(position, length, []);
  return result;
}

function buildColumn(view, data, column, unitAt, length) {
  const box = make("section", "column");
  const head = make("header", "head");
  const dot = make("span", "dot");
  const colours = view.colours;
  dot.style.setProperty("--dot", colours[column.colour % colours.length]);
  const title = make("span", "title", column.title);
  title.dir = "auto";
  title.title = column.title;
  head.append(dot, title);
  const chunkWord = column.count === 1 ? "chunk" : "chunks";
  const counted = column.count ? `${shownNumber(column.count)} ${chunkWord}` : "";
  const line = [counted, column.note].filter(Boolean).join(" · ");
  if (line) head.append(make("span", "count", line));

  const text = make("div", "text");
  text.dir = "auto";
  text.tabIndex = 0;
  text.setAttribute("role", "group");
  text.setAttribute("aria-label", `${column.title}${counted ? `, ${counted}` : ""}. Left and right arrow: next chunk.`);

  const seen = new Set();
  const spansOf = column.chunks.map(() => []);
  const nodes = [];
  const fragment = document.createDocumentFragment();
  const marks = column.marks.length ? column.marks : data.marks;
  for (const [from, to, owners, mark] of pieces(length, column.segments, marks)) {
    for (const owner of owners) {
      if (seen.has(owner)) continue;
      seen.add(owner);
      const [ordinal, start] = column.chunks[owner];
      const cut = make("i", start < data.offset ? "cut continued" : "cut");
      cut.dataset.number = ordinal + 1;
      cut.dataset.owners = owner;
      cut.style.setProperty("--a", hue(ordinal));
      cut.setAttribute("aria-hidden", "true");
      fragment.append(cut);
    }
    const piece = make("span", "piece");
    let unit = unitAt(from);
    const parts = atTabs(data.text.slice(unit, unitAt(to)));
    for (const part of parts) {
      const cell = parts.length > 1 || part === "\t" ? make("span", part === "\t" ? "gap" : "cell") : piece;
      cell.textContent = part;
      if (cell !== piece) piece.append(cell);
      nodes.push({ node: cell.firstChild, from: unit, to: unit + part.length });
      unit += part.length;
    }
    if (owners.length) {
      piece.classList.add("owned");
      piece.dataset.owners = owners.join(",");
      piece.style.setProperty("--a", hue(column.chunks[owners[0]][0]));
      if (owners.length > 1) {
        piece.classList.add("shared");
        piece.style.setProperty("--b", hue(column.chunks[owners[owners.length - 1]][0]));
      }
      for (const owner of owners) spansOf[owner].push(piece);
    } else if (column.chunks.length) {
      piece.classList.add("bare");
    }
    if (mark) piece.classList.add("marked");
    if (mark?.length > 2) piece.classList.add(mark[2] ? "broken" : "answer");
    fragment.append(piece);
  }
  if (!length) fragment.append(make("span", "empty", "There is no text here."));
  text.append(fragment);
  box.append(head, text);
  return { id: column.id, chunks: column.chunks, box, text, spansOf, nodes };
}

// A column that would look as it does stays, with its layout: a moved slider changes one of them.
function build(view, data, theme) {
  const unitAt = unitTable(data.text);
  const length = codePoints(data.text);
  const before = view.columns ?? [];
  const sameGround = view.text === data.text && view.offset === data.offset && view.theme === theme;
  if (view.hot) light(view, null, []);
  view.unitAt = unitAt;
  view.columns = data.columns.map((column, i) => {
    const looks = JSON.stringify([column, column.marks.length ? [] : data.marks]);
    if (sameGround && before[i]?.looks === looks) return before[i];
    return { ...buildColumn(view, data, column, unitAt, length), looks };
  });
  view.holder.dataset.count = view.columns.length;
  if (before.length === view.columns.length) {
    view.columns.forEach(({ box }, i) => box !== before[i].box && before[i].box.replaceWith(box));
  } else {
    view.holder.replaceChildren(...view.columns.map((column) => column.box));
  }
  view.hot = [];
  view.chosen = null;
  view.leader = null;
}

// --- where a character stands, and which one is at the top ---

const range = document.createRange();

function topOf(piece, unit) {
  const at = Math.max(0, Math.min(unit - piece.from, piece.node.length - 1));
  range.setStart(piece.node, at);
  range.setEnd(piece.node, at + 1);
  const rectangles = range.getClientRects();
  // A line feed at the end of a wrapped line has no rectangle of its own.
  return rectangles.length ? rectangles[0].top : range.startContainer.parentElement.getBoundingClientRect().top;
}

function firstWhere(low, high, test) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function unitAtTop(column) {
  const { nodes, text } = column;
  if (!nodes.length) return null;
  const edge = text.getBoundingClientRect().top + 8;
  const bottomOf = (piece) => piece.node.parentElement.getBoundingClientRect().bottom;
  const place = Math.min(firstWhere(0, nodes.length, (i) => bottomOf(nodes[i]) > edge), nodes.length - 1);
  const piece = nodes[place];
  const unit = firstWhere(piece.from, piece.to - 1, (u) => topOf(piece, u) + 14 > edge);
  return { unit, delta: topOf(piece, unit) - edge };
}

function bringToTop(column, unit, delta) {
  const { nodes, text } = column;
  if (!nodes.length) return;
  const place = Math.min(firstWhere(0, nodes.length, (i) => nodes[i].to > unit), nodes.length - 1);
  const edge = text.getBoundingClientRect().top + 8;
  text.scrollTop += topOf(nodes[place], unit) - edge - delta;
}

function follow(view) {
  view.frame = 0;
  const leader = view.columns.find((column) => column.text === view.leader);
  const top = leader && unitAtTop(leader);
  if (!top) return;
  const atEnd = leader.text.scrollTop + leader.text.clientHeight >= leader.text.scrollHeight - 2;
  for (const column of view.columns) {
    if (column === leader) continue;
    if (leader.text.scrollTop <= 1) column.text.scrollTop = 0;
    else if (atEnd) column.text.scrollTop = column.text.scrollHeight;
    else bringToTop(column, top.unit, top.delta);
  }
}

// --- light, choice, tip ---

function light(view, column, owners) {
  for (const piece of view.hot) piece.classList.remove("hot");
  view.hot = owners.flatMap((owner) => column.spansOf[owner]);
  for (const piece of view.hot) piece.classList.add("hot");
}

function describe(column, owner) {
  const [ordinal, start, end, tokens, first, last] = column.chunks[owner];
  const pages = first === last ? `page ${first}` : `pages ${first}–${last}`;
  const range = `characters ${shownNumber(start)}–${shownNumber(end)}`;
  return [`Chunk ${shownNumber(ordinal + 1)}`, `${shownNumber(tokens)} tokens · ${pages}`, range];
}

function choose(view, column, owner) {
  for (const piece of view.holder.querySelectorAll(".chosen")) piece.classList.remove("chosen");
  view.chosen = column && owner >= 0 ? { column, owner } : null;
  if (!view.chosen) return;
  for (const piece of column.spansOf[owner]) {
    piece.classList.add("chosen");
    piece.style.setProperty("--chosen", hue(column.chunks[owner][0]));
  }
}

function tellChoice(view) {
  const { column, owner } = view.chosen;
  const ordinal = column.chunks[owner][0];
  view.live.textContent = describe(column, owner).join(", ");
  const told = JSON.stringify([column.id, ordinal]);
  if (told !== view.wish) view.told.push(told);
  view.send("clicked", { column: column.id, ordinal });
}

function under(view, event) {
  const target = event.target.closest?.("[data-owners]");
  const column = target && view.columns.find((candidate) => candidate.text.contains(target));
  return column ? { column, owners: target.dataset.owners.split(",").map(Number) } : null;
}

function pick(view, found) {
  const { column, owners } = found;
  // Where chunks overlap, the next click takes the next of them.
  const place = view.chosen?.column === column ? owners.indexOf(view.chosen.owner) : -1;
  const owner = place < 0 ? owners[owners.length - 1] : owners[(place + 1) % owners.length];
  choose(view, column, owner);
  tellChoice(view);
}

function step(view, column, by) {
  const count = column.chunks.length;
  if (!count) return;
  const before = view.chosen?.column === column ? view.chosen.owner : null;
  let owner;
  if (before !== null) owner = Math.max(0, Math.min(count - 1, before + by));
  else owner = firstVisible(column);
  choose(view, column, owner);
  goTo(column, owner);
  view.live.textContent = describe(column, owner).join(", ");
  clearTimeout(view.tell);
  view.tell = setTimeout(() => view.chosen && tellChoice(view), 250);
}

function goTo(column, owner) {
  const piece = column.spansOf[owner][0];
  const unit = column.nodes.find((entry) => piece.contains(entry.node)).from;
  bringToTop(column, unit, 40);
}

function reveal(view, column, owner) {
  const piece = column.spansOf[owner][0];
  if (!piece?.isConnected) return;
  const { top } = piece.getBoundingClientRect();
  const box = column.text.getBoundingClientRect();
  if (top >= box.top && top < box.bottom - 40) return;
  // The others follow the one that leads.
  view.leader = column.text;
  goTo(column, owner);
}

function firstVisible(column) {
  const edge = column.text.getBoundingClientRect().top;
  const place = column.spansOf.findIndex((spans) => spans.length && spans[0].getBoundingClientRect().bottom > edge);
  return Math.max(0, place);
}

// --- selected text ---

function selectedRange(root) {
  const selection = document.getSelection();
  const holder = root.getRootNode();
  if (!selection || !selection.rangeCount) return null;
  if (!(holder instanceof ShadowRoot)) return selection.getRangeAt(0);
  const [found] = selection.getComposedRanges?.({ shadowRoots: [holder] }) ?? [];
  if (!found) return null;
  const result = document.createRange();
  result.setStart(found.startContainer, found.startOffset);
  result.setEnd(found.endContainer, found.endOffset);
  return result;
}

function selectedText(view) {
  const chosen = selectedRange(view.root);
  if (!chosen || chosen.collapsed) return null;
  const column = view.columns.find((candidate) => candidate.text.contains(chosen.startContainer));
  if (!column || !column.text.contains(chosen.endContainer)) return null;
  const before = document.createRange();
  before.selectNodeContents(column.text);
  before.setEnd(chosen.startContainer, chosen.startOffset);
  const text = chosen.toString();
  const start = view.data.offset + codePoints(before.toString());
  return text ? { column: column.id, start, end: start + codePoints(text), text } : null;
}

function listen(view) {
  const { root } = view;
  const lead = (event) => {
    const text = event.target.closest?.(".text");
    if (text) view.leader = text;
  };
  for (const name of ["wheel", "pointerdown", "pointerover", "touchstart", "focusin"]) {
    root.addEventListener(name, lead, { passive: true });
  }
  root.addEventListener("pointermove", (event) => {
    const found = under(view, event);
    if (!found) {
      light(view, null, []);
      hideTip(view.tip);
      return;
    }
    light(view, found.column, found.owners);
    const described = found.owners.map((owner) => describe(found.column, owner));
    const single = described.length === 1;
    const lines = single ? described[0] : ["Overlap", ...described.map((parts) => parts.join(" · "))];
    const { classList } = event.target.closest(".piece, .cut");
    if (classList.contains("broken")) lines.push("A judged answer that no chunk holds whole");
    else if (classList.contains("answer")) lines.push("A judged answer");
    showTip(view.tip, event, lines);
  });
  root.addEventListener("pointerleave", () => {
    light(view, null, []);
    hideTip(view.tip);
  });
  root.addEventListener("pointerup", (event) => {
    // Found before the timeout: once the event has left the shadow tree its target is the host.
    const found = event.button === 0 ? under(view, event) : null;
    setTimeout(() => {
      const selection = selectedText(view);
      if (selection) view.send("selection", selection);
      else if (found) pick(view, found);
    }, 0);
  });
  root.addEventListener("keydown", (event) => {
    const column = view.columns.find((candidate) => candidate.text === event.target);
    if (!column || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    view.leader = column.text;
    if (event.key === "ArrowRight") step(view, column, 1);
    else if (event.key === "ArrowLeft") step(view, column, -1);
    else if (event.key === "Enter" && view.chosen) tellChoice(view);
    else return;
    event.preventDefault();
  });
  root.addEventListener(
    "scroll",
    (event) => {
      if (view.data.in_step && event.target === view.leader && !view.frame) {
        view.frame = requestAnimationFrame(() => follow(view));
      }
    },
    true,
  );
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".viewer");
  let view = views.get(root);
  const fresh = !view;
  if (fresh) {
    view = {
      root,
      holder: root.querySelector(".columns"),
      live: root.querySelector(".silent"),
      tip: parentElement.querySelector(".tip"),
      told: [],
    };
    views.set(root, view);
  }
  view.send = setTriggerValue;
  view.data = data;
  const theme = getComputedStyle(root).getPropertyValue("--st-chart-categorical-colors");
  view.colours = theme.split(",").map((colour) => colour.trim()).filter(Boolean);
  if (!view.colours.length) view.colours = ["#3f78c0"];
  root.classList.toggle("dark", isDark(root));
  const rebuilt = view.sig !== data.sig || view.theme !== theme;
  const sameText = view.text === data.text;
  if (rebuilt) {
    const places = sameText && view.columns ? view.columns.map((column) => column.text.scrollTop) : [];
    root.style.setProperty("--height", `${data.height}px`);
    build(view, data, theme);
    view.columns.forEach((column, i) => {
      const place = places[i] ?? places[0] ?? 0;
      if (column.text.scrollTop !== place) column.text.scrollTop = place;
    });
    [view.sig, view.theme, view.text, view.offset] = [data.sig, theme, data.text, data.offset];
  }
  root.style.setProperty("--height", `${data.height}px`);
  const wish = JSON.stringify(data.selected);
  if (rebuilt || wish !== view.wish) {
    view.wish = wish;
    // What was told from here comes back, perhaps after the next chunk was chosen: it is marked already.
    const echo = rebuilt ? view.told.length - 1 : view.told.indexOf(wish);
    view.told.splice(0, echo + 1);
    const column = data.selected && view.columns.find((candidate) => candidate.id === data.selected[0]);
    const owner = column ? column.chunks.findIndex((chunk) => chunk[0] === data.selected[1]) : -1;
    if (rebuilt || echo < 0) choose(view, column, owner);
    // A moved slider leaves the text where it is.
    if (owner >= 0 && (rebuilt ? !sameText : echo < 0)) {
      requestAnimationFrame(() => reveal(view, column, owner));
    }
  }
  const target = data.scroll_to === null ? null : `${data.scroll_to} ${data.text.length} ${data.offset}`;
  if (target !== view.target) {
    view.target = target;
    if (target !== null) {
      const unit = view.unitAt(data.scroll_to);
      requestAnimationFrame(() => view.columns.forEach((column) => bringToTop(column, unit, 24)));
    }
  }
  if (fresh) listen(view);
  return () => {
    cancelAnimationFrame(view.frame);
    clearTimeout(view.tell);
    views.delete(root);
  };
}
