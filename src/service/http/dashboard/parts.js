/** What each state of the process is called, its sign, and how it looks. */
const STATES = {
  idle: ["○", "not begun", "quiet"],
  scanning: ["▶", "scanning", "good"],
  processing: ["▶", "processing", "good"],
  watching: ["◉", "watching", "good"],
  draining: ["◼", "stopping", "warn"],
  waiting: ["▲", "waiting", "bad"],
  paused: ["❚❚", "paused", "warn"],
  ended: ["◼", "ended", "quiet"],
};

function showState(statistics) {
  const [mark, word, tone] = STATES[statistics.state] ?? ["?", statistics.state, "quiet"];
  say("state-mark", mark);
  say("state-word", word);
  setTone(byId("state"), tone);
  document.title = `${word} – ${byId("shard").parentElement.textContent.trim()}`;
  const isPaused = statistics.state === "paused";
  // The focus goes along with the button that takes the place of the other.
  const hadFocus = [byId("pause"), byId("resume")].includes(document.activeElement);
  byId("pause").hidden = isPaused;
  byId("resume").hidden = !isPaused;
  if (hadFocus) byId(isPaused ? "resume" : "pause").focus();
}

/** What a check that is not well comes to. */
const CHECKS = {
  "state-open": "No state",
  progress: "No progress",
  running: "Not running",
  "breakers-closed": "Something is missing",
  "watcher-armed": "Nothing is watched",
  "roots-there": "Roots are missing",
};

/** What keeps the process from being ready, but for what was asked for. */
function showAttention(readiness) {
  const wrong = readiness.checks.filter((check) => !check.ok && check.name !== "not-paused");
  byId("attention").hidden = wrong.length === 0;
  const begin = () => make("li", {}, make("strong"), " ", make("span"));
  keep(byId("attention-list"), wrong, (check) => check.name, begin, (item, check) => {
    put(item.firstChild, `${CHECKS[check.name] ?? check.name}:`);
    put(item.lastChild, plain(check.why ?? ""));
  });
}

function showProgress(statistics) {
  const { discovered, ok, failed, unchanged, pending, removed } = statistics;
  const skipped = Object.values(statistics.skipped).reduce((sum, number) => sum + number, 0);
  const done = discovered - pending;
  const part = share(done, discovered);
  const bar = byId("bar");
  if (statistics.state === "scanning" && discovered === 0) bar.removeAttribute("value");
  else bar.value = part;
  say("job-name", statistics.job_id ? `job ${statistics.job_id}` : "");
  say("bar-text", `${count(done)} of ${files(discovered)}, ${percent(part)}. ${timeLeft(statistics)}`);
  figures("counts", [
    ["Ok", count(ok)],
    ["Failed", count(failed), failed > 0 ? "bad" : ""],
    ["Pending", count(pending)],
    ["Unchanged", count(unchanged)],
    ["Skipped", count(skipped)],
    ["Removed", count(removed)],
    ["Read", bytes(statistics.bytes)],
    ["Running for", span(statistics.elapsed_seconds)],
  ]);
}

function timeLeft(statistics) {
  const { state, pending } = statistics;
  if (state === "paused" || state === "waiting") chart.rest();
  if (state === "paused") return "Paused: nothing is begun.";
  if (state === "waiting") return "Waiting for what is missing.";
  if (pending === 0) return state === "scanning" ? "Looking for more." : "Nothing is due.";
  const perSecond = chart.recent();
  if (perSecond < 0.05) return "Time left is not known yet.";
  const left = span(pending / perSecond);
  return state === "scanning" ? `At least ${left} left: more is being found.` : `About ${left} left.`;
}

function showWorkers(statistics) {
  const busy = statistics.workers.filter((worker) => worker.batch !== null);
  const batches = new Set(busy.map((worker) => worker.batch)).size;
  const batchWord = batches === 1 ? "batch" : "batches";
  say("workers-text", `${busy.length} of ${statistics.workers.length} at work on ${batches} ${batchWord}; ` +
    `${files(statistics.in_flight)} in flight.`);
  const elapsed = Math.max(statistics.elapsed_seconds, 0.001);
  rows("workers", statistics.workers.map((worker, number) => ({
    key: number,
    head: `${number}`,
    sub: worker.slow_file ? `slow: ${worker.slow_file}` : "",
    cells: [
      [worker.batch === null ? "–" : count(worker.batch), "number"],
      [count(worker.in_hand), "number"],
      [count(worker.files), "number"],
      [percent(Math.min(1, worker.busy_seconds / elapsed)), "number"],
    ],
  })));
}

function showBreakers(statistics) {
  const known = new Map(statistics.breakers.map((breaker) => [breaker.resource, breaker]));
  const marks = { closed: ["✓ closed", "good"], open: ["✕ open", "bad"], "half-open": ["… trying", "warn"] };
  rows("breakers", ["files", "disk", "memory", "descriptors", "processor"].map((resource) => {
    const breaker = known.get(resource) ?? { state: "closed", opened: 0, state_seconds: 0 };
    const [word, tone] = marks[breaker.state] ?? [breaker.state, "warn"];
    const why = breaker.state === "closed" ? "" : `for ${span(breaker.state_seconds)}: ${breaker.why ?? "it is tried"}`;
    return {
      key: resource,
      head: resource,
      sub: why,
      cells: [[word, "whole", tone], [count(breaker.opened), "number"]],
    };
  }));
}

function showMemory(statistics, status) {
  const memory = statistics.memory;
  const part = Math.min(1, memory.percent / 100);
  byId("memory-bar").value = part;
  const tight = memory.percent > 80 ? " It is scarce: batches are made smaller." : "";
  say("memory-text", `${bytes(memory.rss_bytes)} of ${bytes(memory.limit_bytes)}, ` +
    `pressure ${memory.percent}\u00a0%.${tight}`);
  const list = [["Files in flight", bytes(memory.in_hand_bytes)]];
  if (status) {
    list.push(["State", bytes(status.state_bytes)], ["Records", bytes(status.records_bytes)]);
  }
  figures("memory", list);
}
