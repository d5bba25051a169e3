/** What the last answers of the slower questions were. */
const slow = { failures: null, status: null };

/** As many samples of a class as the interface gives at most. */
const SAMPLES_MAX = 100;
/** The classes of which more samples are shown than the usual ones. */
const opened = new Set();

/** Takes in the further samples of the classes that are opened. */
async function addSamples(report) {
  for (const group of report?.classes ?? []) {
    if (!opened.has(group.class)) continue;
    const more = await get(`/api/failures?class=${encodeURIComponent(group.class)}&samples=${SAMPLES_MAX}`);
    group.samples = more?.classes[0]?.samples ?? group.samples;
  }
  return report;
}

async function showMore(name, button) {
  opened.add(name);
  button.setAttribute("aria-busy", "true");
  showFailures(await addSamples(await get("/api/failures")));
  button.removeAttribute("aria-busy");
}

function showFailures(report) {
  if (!report) return;
  slow.failures = report;
  const summary = `${files(report.failed)} failed, ${count(report.waiting)} to be tried again.`;
  say("failures-text", report.classes.length ? summary : "Nothing failed.");
  keep(byId("failures"), report.classes, (group) => group.class, beginClass, fillClass);
  setOrders();
}

function beginClass(group) {
  const title = make("h3", { id: `class-${group.class}` }, group.class);
  const again = make("button", { type: "button", "data-class": group.class });
  again.textContent = "Try again";
  again.setAttribute("aria-label", `Try again what failed as ${group.class}`);
  again.addEventListener("click", () => retry({ class: group.class }, again));
  const samples = make("ul", { class: "samples" });
  const more = make("button", { type: "button", "data-more": group.class }, "More");
  more.setAttribute("aria-label", `More files that failed as ${group.class}`);
  more.addEventListener("click", () => showMore(group.class, more));
  const folded = make("details", {}, make("summary"), samples, more);
  return make("li", {}, make("div", { class: "class-head" }, title, make("p"), again), folded);
}

function fillClass(item, group) {
  const parts = [`${count(group.failed)} failed`];
  if (group.waiting) parts.push(`${count(group.waiting)} to be tried again`);
  if (group.quarantined) parts.push(`${count(group.quarantined)} set aside until they change`);
  if (group.suspected) parts.push(`${count(group.suspected)} suspected of bringing the process down`);
  put(item.querySelector("p"), parts.join(" · "));
  const folded = item.querySelector("details");
  folded.hidden = group.samples.length === 0;
  put(folded.firstChild, `${group.samples.length === 1 ? "1 file" : `${group.samples.length} files`} of these`);
  folded.lastChild.hidden = opened.has(group.class) || group.samples.length >= group.failed + group.waiting;
  const begin = () => make("li", {}, make("code"), make("br"), make("span"));
  keep(folded.querySelector(".samples"), group.samples, (sample) => `${sample.root}/${sample.path}`, begin, fillSample);
}

function fillSample(item, sample) {
  const place = sample.line ? `line ${sample.line}, column ${sample.column}: ` : "";
  const parts = [place + (sample.message ?? "no record of it yet")];
  parts.push(sample.attempts === 1 ? "1 attempt" : `${sample.attempts} attempts`);
  if (sample.next_at) parts.push(`again at ${moment(sample.next_at)}`);
  if (sample.quarantined) parts.push("set aside");
  put(item.firstChild, plain(`${sample.root}/${sample.path}`));
  put(item.lastChild, plain(parts.join(" · ")));
}

const moment = (text) => new Date(text).toLocaleTimeString([], { hour12: false });

function showQueue(statistics) {
  const waiting = (slow.failures?.classes ?? []).filter((group) => group.waiting > 0);
  const retrying = waiting.reduce((sum, group) => sum + group.waiting, 0);
  const { high, normal, low } = statistics.pending_by_class;
  const classes = high + low > 0 ? ` By class: ${count(high)} high, ${count(normal)} normal, ${count(low)} low.` : "";
  say("queue-text", `${files(statistics.pending)}, ${bytes(statistics.pending_bytes)}.${classes}`);
  const first = {
    key: "first",
    head: "New or changed",
    cells: [[count(Math.max(0, statistics.pending - retrying)), "number"], ["due", "number"]],
  };
  rows("queue", [first, ...waiting.map((group) => ({
    key: group.class,
    head: `Again: ${group.class}`,
    cells: [[count(group.waiting), "number"], [group.next_at ? moment(group.next_at) : "–", "number"]],
  }))]);
}

function showWatch(watch) {
  byId("watch").hidden = !watch;
  if (!watch) return;
  const { status, latency, roots } = watch;
  const unwatched = Object.values(status.unwatched ?? {}).reduce((sum, number) => sum + number, 0);
  const polled = unwatched ? `, ${count(unwatched)} listed again and again instead` : "";
  say("watch-text", status.polling
    ? "Folders are listed again and again, as was asked for."
    : `Folders watched: ${count(status.armed_folders)}${polled}. Changes that wait: ${count(status.waiting)}.`);
  const time = (seconds) => (latency.count > 0 ? span(seconds) : "–");
  figures("latency", [
    ["Median", time(latency.p50_seconds)],
    ["99 of 100", time(latency.p99_seconds)],
    ["Longest", time(latency.max_seconds)],
    ["Changes", count(latency.count)],
    ["Overflows", count(status.overflows), status.overflows > 0 ? "warn" : ""],
    ["Queued jobs", count(watch.queued_jobs)],
  ]);
  const marks = { watched: ["✓ watched", "good"], polled: ["↻ polled", "warn"], unreadable: ["✕ unreadable", "bad"], away: ["✕ away", "bad"] };
  rows("roots", (roots ?? []).map((root) => {
    const [word, tone] = marks[root.state] ?? [root.state, "quiet"];
    return { key: root.path, head: root.name, sub: root.why ?? root.path, cells: [[word, "whole", tone]] };
  }));
}

function showJobs(jobs) {
  const marks = { running: "good", failed: "bad", killed: "bad", interrupted: "warn", cancelled: "warn" };
  const latest = [...jobs].reverse().slice(0, 12);
  rows("jobs", latest.map((job) => {
    const began = job.started ? new Date(job.started) : null;
    const ended = job.ended ? new Date(job.ended) : null;
    const about = [job.kind, job.scope ?? job.roots.map((root) => root.name).join(", ")];
    if (job.priority !== 0) about.push(`priority ${job.priority}`);
    const part = job.progress === null ? "" : ` ${percent(job.progress)}`;
    const took = began && ended ? span((ended - began) / 1000) : "–";
    return {
      key: job.job_id,
      head: `${job.job_id}`,
      sub: about.join(" · "),
      cells: [
        [job.state + part, "whole", marks[job.state] ?? ""],
        [began ? began.toLocaleString([], { hour12: false }) : "–", "roomy"],
        [took, "number roomy"],
        [count(job.ok), "number"],
        [count(job.failed), "number", job.failed > 0 ? "bad" : ""],
      ],
    };
  }));
}
