const NAME = "workbench demo voter";

function kept() {
  const drawn = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    const before = localStorage.getItem(NAME);
    if (before && /^[0-9a-f]{32}$/.test(before)) return before;
    localStorage.setItem(NAME, drawn);
  } catch {
    // A browser that keeps nothing: each of its tabs is a voter of its own.
  }
  return drawn;
}

export default function ({ data, setStateValue }) {
  if (!data.known) setStateValue("mark", kept());
}
