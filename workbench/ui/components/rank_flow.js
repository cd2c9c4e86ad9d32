const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

function line(move, left, right) {
  const group = element("g", { class: `way ${move.cause}` });
  group.append(element("title", {}, move.says));
  if (move.left !== null) {
    group.append(element("text", { x: left - 10, y: move.from + 4, "text-anchor": "end" }, move.leftText));
  }
  if (move.right !== null) group.append(element("text", { x: right + 10, y: move.to + 4 }, move.rightText));
  const middle = (left + right) / 2;
  if (move.left !== null && move.right !== null) {
    const d = `M${left} ${move.from} C${middle} ${move.from} ${middle} ${move.to} ${right} ${move.to}`;
    group.append(element("path", { d, class: "wide" }), element("path", { d }));
  } else {
    const y = move.left !== null ? move.from : move.to;
    const [start, end] = move.left !== null ? [left, left + 46] : [right, right - 46];
    group.append(element("path", { d: `M${start} ${y} L${end} ${y}`, class: "open" }));
  }
  return group;
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".flow");
  const signature = JSON.stringify(data);
  if (root.dataset.signature === signature) return;
  root.dataset.signature = signature;
  const [width, left, right] = [760, 290, 470];
  const picture = element("svg", { viewBox: `0 0 ${width} ${data.height}`, role: "img", "aria-label": data.label });
  picture.append(
    element("text", { x: left - 10, y: 16, "text-anchor": "end", class: "head" }, data.left),
    element("text", { x: right + 10, y: 16, class: "head" }, data.right),
  );
  for (const move of data.moves) picture.append(line(move, left, right));
  const legend = document.createElement("div");
  legend.className = "legend";
  for (const { cause, text } of data.legend) {
    const entry = Object.assign(document.createElement("span"), { className: cause });
    entry.append(document.createElement("i"), text);
    legend.append(entry);
  }
  root.replaceChildren(picture, legend);
}
