// Pieces of a document's text, which is set as text and never as markup.
function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// Ranges come in code points, the DOM counts UTF-16 units: a table is needed only where both differ.
function unitTable(text) {
  if (!/[\uD800-\uDBFF]/.test(text)) return (point) => point;
  const units = [0];
  let unit = 0;
  for (const character of text) units.push((unit += character.length));
  return (point) => units[point];
}

const codePoints = (text) => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

// A tab parts the cells of a table, and may be drawn no wider than a blank: it is a piece of its own, with room before it.
const atTabs = (text) => text.split(/(\t)/).filter(Boolean);

function appendCells(element, text) {
  for (const part of atTabs(text)) element.append(part === "\t" ? make("span", "gap", part) : part);
}
