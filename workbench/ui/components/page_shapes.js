// Rectangles on the image of a page, in points of the page.
const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

const rectangle = ([x0, y0, x1, y1], more) =>
  shape("rect", { x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0), ...more });

// Boxes of printed lines reach into each other; where two tints lie on one another, the text below is hard to read.
function parted(rects) {
  const result = rects.map((rect) => [...rect]);
  for (let i = 1; i < result.length; i += 1) {
    const [above, below] = [result[i - 1], result[i]];
    if (below[1] > above[1] && below[1] < above[3] && below[0] < above[2] && above[0] < below[2])
      above[3] = below[1] = (above[3] + below[1]) / 2;
  }
  return result;
}

// One line around each block of printed lines that stand below each other.
function outline(rects) {
  const blocks = [];
  for (const rect of rects) {
    const last = blocks.at(-1)?.at(-1);
    const follows = last && rect[1] > last[1] && rect[1] - last[3] < (last[3] - last[1]) * 0.4;
    if (follows && rect[0] < last[2] && last[0] < rect[2]) blocks.at(-1).push(rect);
    else blocks.push([rect]);
  }
  const steps = (block) => {
    const seams = block.slice(1).map((rect, i) => (block[i][3] + rect[1]) / 2);
    const tops = [block[0][1], ...seams];
    const bottoms = [...seams, block.at(-1)[3]];
    const right = block.flatMap((rect, i) => [[rect[2], tops[i]], [rect[2], bottoms[i]]]);
    const left = block.flatMap((rect, i) => [[rect[0], tops[i]], [rect[0], bottoms[i]]]);
    return `M${[...right, ...left.reverse()].map((point) => point.join(" ")).join("L")}Z`;
  };
  return shape("path", { class: "outline", d: blocks.map(steps).join("") });
}
