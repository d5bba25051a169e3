/** Throughput over time. */
const chart = {
  /** Seconds that are shown. */
  range: 120,
  /** When nothing was processed last, in Unix seconds. */
  restedUntil: 0,
  seconds: { at: [], files: [] },
  minutes: { at: [], files: [] },

  take(history) {
    const series = (from) => ({ at: from.at, files: from.files_per_second });
    this.seconds = series(history.seconds);
    this.minutes = series(history.minutes);
    this.draw();
  },

  add(at, filesPerSecond) {
    const { at: times, files: rates } = this.seconds;
    if (times.length && times[times.length - 1] >= at) return;
    times.push(at);
    rates.push(filesPerSecond);
    while (times.length > 900) {
      times.shift();
      rates.shift();
    }
    this.draw();
  },

  /** The points within the range. */
  points() {
    const { at, files: rates } = this.range > 900 ? this.minutes : this.seconds;
    const end = this.seconds.at.at(-1) ?? at.at(-1) ?? Date.now() / 1000;
    const points = at.map((time, index) => [time, rates[index]]).filter(([time]) => time > end - this.range);
    return { points, end, begin: end - this.range };
  },

  draw() {
    const { points, begin, end } = this.points();
    this.tell(points);
    const svg = byId("rate");
    const [width, height] = [svg.clientWidth || 600, 190];
    const [left, right, top, bottom] = [48, 8, 10, 24];
    const peak = niceAbove(Math.max(1, ...points.map(([, value]) => value)));
    const x = (time) => left + ((time - begin) / (end - begin)) * (width - left - right);
    const y = (value) => height - bottom - (value / peak) * (height - top - bottom);
    const parts = [];
    for (const part of [0, 0.5, 1]) {
      const level = y(peak * part);
      parts.push(shape("line", { class: "grid", x1: left, x2: width - right, y1: level, y2: level }));
      parts.push(label(left - 6, level + 4, "end", rate(peak * part)));
    }
    const ticks = width < 480 ? 2 : 4;
    for (let at = 0; at <= ticks; at += 1) {
      const time = begin + ((end - begin) * at) / ticks;
      const anchor = at === 0 ? "start" : at === ticks ? "end" : "middle";
      const text = this.range > 900 ? clock(time).slice(0, 5) : clock(time);
      parts.push(label(x(time), height - 6, anchor, text));
    }
    if (points.length > 1) {
      const line = points.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`);
      const [from, to] = [x(points[0][0]).toFixed(1), x(points.at(-1)[0]).toFixed(1)];
      const area = `M${from},${y(0)}L${line.join("L")}L${to},${y(0)}Z`;
      parts.push(shape("path", { class: "area", d: area }));
      parts.push(shape("path", { class: "curve", d: `M${line.join("L")}` }));
    }
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren(...parts);
  },

  /** The same in words, for those who do not see the curve. */
  tell(points) {
    if (!points.length) {
      say("rate-text", this.range > 900 ? "No minute is over yet." : "No figures yet.");
      return;
    }
    const values = points.map(([, value]) => value);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const [last, most] = [values.at(-1), Math.max(...values)];
    say("rate-text", `${rate(last)} files/s now, ${rate(mean)} on average, ${rate(most)} at most.`);
  },

  /** Leaves the seconds so far out of the recent ones: nothing was processed in them. */
  rest() {
    this.restedUntil = this.seconds.at.at(-1) ?? 0;
  },

  /** The average of the last seconds, for an estimate that does not jump. */
  recent() {
    const from = Math.max(this.seconds.files.length - 30, 0);
    const values = this.seconds.files.filter((_, at) => at >= from && this.seconds.at[at] > this.restedUntil);
    return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : 0;
  },
};

/** The next number above that reads well on an axis. */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

function shape(name, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function label(x, y, anchor, text) {
  const node = shape("text", { x, y, "text-anchor": anchor });
  node.textContent = text;
  return node;
}
