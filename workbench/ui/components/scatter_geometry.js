// Where points stand: plain functions without a canvas.

function decoded(text, Type) {
  return new Type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
}

// The view that shows all points, and the question, with a margin: {scale, x, y}, x and y in the middle.
function fitted(points, question, width, height) {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  const take = (x, y) => {
    left = Math.min(left, x);
    right = Math.max(right, x);
    low = Math.min(low, y);
    high = Math.max(high, y);
  };
  for (let i = 0; i < points.x.length; i += 1) take(points.x[i], points.y[i]);
  if (question) take(question[0], question[1]);
  if (left > right) return { scale: 1, x: 0, y: 0 };
  const scale = Math.min((width - 48) / (right - left || 1), (height - 48) / (high - low || 1));
  return { scale: Math.max(scale, 1e-9), x: (left + right) / 2, y: (low + high) / 2 };
}

function nearest(points, place, at, reach, visible) {
  let best = -1;
  let least = reach * reach;
  for (let i = 0; i < points.x.length; i += 1) {
    const dx = place.x(points.x[i]) - at[0];
    const dy = place.y(points.y[i]) - at[1];
    const distance = dx * dx + dy * dy;
    if (distance < least && visible(i)) [best, least] = [i, distance];
  }
  return best;
}

// Indexes of the points inside a polygon on screen (even-odd rule).
function inside(points, place, polygon, visible) {
  const result = [];
  for (let i = 0; i < points.x.length; i += 1) {
    const px = place.x(points.x[i]);
    const py = place.y(points.y[i]);
    let odd = false;
    for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a, a += 1) {
      const [xa, ya] = polygon[a];
      const [xb, yb] = polygon[b];
      if (ya > py !== yb > py && px < ((xb - xa) * (py - ya)) / (yb - ya) + xa) odd = !odd;
    }
    if (odd && visible(i)) result.push(i);
  }
  return result;
}

// A place for a rank number beside its hit, away from the question and from the numbers before it.
function badgePlace(hit, question, taken) {
  const away = question ? Math.atan2(hit[1] - question[1], hit[0] - question[0]) : -Math.PI / 4;
  for (const distance of [15, 24, 34]) {
    for (const turn of [0, 0.7, -0.7, 1.4, -1.4, 2.1, -2.1, Math.PI]) {
      const spot = [hit[0] + distance * Math.cos(away + turn), hit[1] + distance * Math.sin(away + turn)];
      if (taken.every((other) => Math.hypot(other[0] - spot[0], other[1] - spot[1]) > 17)) return spot;
    }
  }
  return [hit[0] + 15, hit[1] - 15];
}
