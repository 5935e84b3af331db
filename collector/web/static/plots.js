// Plots of a host's last hours. Numbers come ready from the server: rates made, gaps as null.
import { stamp } from "./age.js";

const holder = document.getElementById("plots");
const { default: uPlot } = await import(holder.dataset.vendor);
const span = Number(holder.dataset.span);
const SHORTEST_MS = 180_000;

const fixed = holder.dataset.from ? [Number(holder.dataset.from), Number(holder.dataset.to)] : null;
const DAY_S = 86_400;

// A host known for three minutes is not shown at the edge of an empty hour.
const start = () => Math.max(serverNow() - span, Math.min(Number(holder.dataset.since) - 30_000, serverNow() - SHORTEST_MS));

const drawn = new Map();
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB"];

function size(value) {
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < BINARY.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || Math.abs(value) >= 100 ? 0 : 1)} ${BINARY[unit]}`;
}
const FORMS = {
  ratio: (value) => `${(value * 100).toFixed(1)} %`,
  bytes: size,
  bytes_per_second: (value) => `${size(value)}/s`,
  count: (value) => value.toFixed(2),
};
const TICKS = { ...FORMS, ratio: (value) => `${Math.round(value * 100)} %`, count: (value) => String(Math.round(value * 100) / 100) };
const BINARY_STEPS = [...Array(46).keys()].map((power) => 2 ** power);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Each line on top of those before it; where the first has no value nothing has.
function stack(lines) {
  const sums = [];
  lines.forEach((line, place) => {
    sums.push(line.map((value, at) => (value === null ? null : value + (place ? (sums[place - 1][at] ?? 0) : 0))));
  });
  return sums;
}

const CALM = { memory: [0, 5, 7], cpu: [0, 1, 4, 2, 3, 6, 7] };
const colourOf = (plot, place) => (CALM[plot.id] ?? [])[place] ?? place % 8;

function options(plot, width, times) {
  const ink = css("--soft");
  const grid = { stroke: css("--grid"), width: 1 };
  const count = plot.lines.length;
  const isRatio = plot.unit === "ratio";
  const isBytes = plot.unit.startsWith("bytes");
  const font = `${Math.round(0.75 * parseFloat(getComputedStyle(document.documentElement).fontSize))}px ${css("--font")}`;
  return {
    width,
    height: Math.round(Math.max(170, Math.min(width * 0.42, 460))),
    ms: 1e-3,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Asia/Seoul"),
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { setScale: false, x: true, y: false, dist: 8 } },
    scales: {
      x: { range: [times[0], times[times.length - 1]] },
      y: { range: (_, low, high) => (isRatio ? [0, 1] : [0, Math.max(high ?? 0, isBytes ? 1024 : 1) * 1.08]) },
    },
    axes: [
      { stroke: ink, font, grid, ticks: { show: false }, size: 34, values: (_, at) => at.map((second) => said(second, times)), space: times[times.length - 1] - times[0] > 1.5 * DAY_S ? 90 : 70 },
      { stroke: ink, font, grid, ticks: { show: false }, size: isBytes ? 78 : 56, values: (_, at) => at.map(TICKS[plot.unit]), ...(isBytes ? { incrs: BINARY_STEPS } : {}) },
    ],
    series: [
      {},
      ...plot.lines.map((_, place) => {
        const colour = css(`--c${colourOf(plot, place)}`);
        return { stroke: colour, width: plot.stack ? 1 : 1.5, fill: plot.stack ? `${colour}${place === count - 1 && plot.id === "memory" ? "22" : "b0"}` : undefined, points: { show: false, size: 5, fill: colour, filter: alone }, spanGaps: false };
      }),
    ],
    bands: plot.stack ? plot.lines.slice(1).map((_, place) => ({ series: [place + 2, place + 1] })) : [],
    hooks: { setCursor: [(chart) => legend(plot, chart.cursor.idx)], setSelect: [closer] },
  };
}

// An instant on the axis: the day where days pass, the time where hours do.
function said(second, times) {
  const text = stamp(second * 1000);
  if (times[times.length - 1] - times[0] <= 1.5 * DAY_S) return text.slice(11, 16);
  return text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(5, 16);
}

// What was drawn over with the pointer is what is shown next; the address keeps it, so that back leads back.
function closer(chart) {
  if (chart.select.width < 8) return;
  const [from, to] = [chart.select.left, chart.select.left + chart.select.width].map((at) => Math.round(chart.posToVal(at, "x") * 1000));
  const middle = (from + to) / 2;
  const half = Math.max(to - from, 300_000) / 2;
  location.assign(`${location.pathname}?from=${Math.round(middle - half)}&to=${Math.min(Math.round(middle + half), serverNow())}`);
}

// Values with a gap on both sides make no line; they are drawn as points.
function alone(chart, series) {
  const values = chart.data[series];
  const found = [];
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null) found.push(at);
  }
  return found.length ? found : null;
}

// The table under a plot: newest values, or those under the cursor.
function legend(plot, at) {
  const figure = document.getElementById(`plot-${plot.id}`);
  const cells = figure.querySelectorAll(".last td");
  plot.lines.forEach((line, place) => {
    const found = at === null || at === undefined ? line.values.findLast((value) => value !== null) : line.values[at];
    if (cells[place]) cells[place].textContent = found === null || found === undefined ? "–" : FORMS[plot.unit](found);
  });
}

function table(figure, plot) {
  let body = figure.querySelector(".last tbody");
  if (!body) {
    const made = document.createElement("table");
    made.className = "last";
    body = made.createTBody();
    figure.querySelector(".none")?.remove();
    figure.append(made);
  }
  body.replaceChildren(
    ...plot.lines.map((line, place) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      const key = document.createElement("span");
      head.scope = "row";
      key.className = `key c${colourOf(plot, place)}`;
      head.append(key, line.label);
      row.append(head, document.createElement("td"));
      return row;
    }),
  );
}

const isFilled = (plot) => plot.lines.some((line) => line.values.some((value) => value !== null));

function draw(answer) {
  const isAny = answer.plots.some(isFilled);
  for (const plot of answer.plots) {
    const figure = document.getElementById(`plot-${plot.id}`);
    const canvas = figure.querySelector(".canvas");
    const hasValues = isFilled(plot);
    drawn.get(plot.id)?.destroy();
    drawn.delete(plot.id);
    figure.classList.toggle("drawn", hasValues);
    if (hasValues) figure.hidden = false; // reported earlier, if no longer
    if (!hasValues) {
      canvas.textContent = isAny ? holder.dataset.few : holder.dataset.empty;
      figure.querySelector(".none")?.remove();
      continue;
    }
    canvas.textContent = "";
    table(figure, plot);
    const lines = plot.lines.map((line) => line.values);
    const data = [answer.times, ...(plot.stack ? stack(lines) : lines)];
    drawn.set(plot.id, new uPlot(options(plot, canvas.clientWidth, answer.times), data, canvas));
    legend(plot, null);
  }
}

let newest = null;
async function load() {
  try {
    const answer = await fetch(`/hosts/${encodeURIComponent(holder.dataset.host)}/series?from=${fixed ? fixed[0] : start()}&to=${fixed ? fixed[1] : serverNow()}&lang=${holder.dataset.language}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    newest = await answer.json();
    draw(newest);
  } catch {
    if (!newest) for (const canvas of holder.querySelectorAll(".canvas")) canvas.textContent = holder.dataset.failed;
  }
}
const serverNow = () => Math.round(Number(document.body.dataset.now) + performance.now());

// Counted from when the page was made: this machine's clock is not asked. Hidden pages rest.
const pace = Math.max(Number(holder.dataset.interval) * 1000, span / 240);
if (!fixed) setInterval(() => document.visibilityState === "visible" && load(), pace);
for (const hint of document.querySelectorAll(".drag")) hint.hidden = false;
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width || !newest) return;
  width = innerWidth;
  draw(newest);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => newest && draw(newest));
await load();
