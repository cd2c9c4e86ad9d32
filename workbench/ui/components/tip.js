// A small box that follows the pointer. Its lines are text, never markup; the first one is bold.
function showTip(tip, event, lines) {
  const first = document.createElement("b");
  first.textContent = lines[0] ?? "";
  tip.replaceChildren(first, ...lines.slice(1).flatMap((line) => ["\n", line]));
  tip.style.display = "block";
  const { width, height } = tip.getBoundingClientRect();
  const left = event.clientX + 14 + width > innerWidth ? event.clientX - width - 10 : event.clientX + 14;
  const top = event.clientY + 18 + height > innerHeight ? event.clientY - height - 10 : event.clientY + 18;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, top)}px`;
}

function hideTip(tip) {
  tip.style.display = "none";
}

const shownNumber = (value) => Number(value).toLocaleString("en-US");

// Streamlit tells the theme's colours, not its name: a dark one has a background darker than its text.
function isDark(element) {
  const style = getComputedStyle(element);
  const light = (name) => {
    const hex = style.getPropertyValue(name).trim().match(/^#([\da-f]{6})/i);
    return hex ? parseInt(hex[1].slice(2, 4), 16) : null;
  };
  const [paper, ink] = [light("--st-background-color"), light("--st-text-color")];
  return paper !== null && ink !== null ? paper < ink : matchMedia("(prefers-color-scheme: dark)").matches;
}
