/** How long no snapshot may come before the connection counts as lost, in milliseconds. */
const SILENCE = 6000;
/** How often the slower questions are asked while the page is seen, in milliseconds. */
const ASK = 5000;

const live = { stream: null, heard: 0, lost: true, snapshot: null };

function show(snapshot) {
  live.snapshot = snapshot;
  const { statistics, readiness } = snapshot;
  chart.add(snapshot.at, snapshot.files_per_second);
  showState(statistics);
  showAttention(readiness);
  showProgress(statistics);
  showWorkers(statistics);
  showQueue(statistics);
  showBreakers(statistics);
  showMemory(statistics, slow.status);
  showWatch(statistics.watch);
}

function listen() {
  live.stream?.close();
  const stream = new EventSource("/api/events");
  live.stream = stream;
  stream.addEventListener("snapshot", (event) => {
    live.heard = Date.now();
    show(JSON.parse(event.data));
    found();
  });
  stream.addEventListener("error", () => {
    lose();
    // A browser gives up for good where it was refused.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

function found() {
  if (live.lost) {
    live.lost = false;
    setTone(byId("link"), "");
    say("link", "Live, every second.");
    setOrders();
    ask();
    askHistory();
  }
}

function lose() {
  if (live.lost && live.heard === 0) {
    say("link", "There is no connection. Trying again …");
  } else if (!live.lost) {
    const last = clock(live.heard / 1000);
    say("link", `The connection is lost; what is shown is of ${last}. Trying again …`);
    say("state-mark", "✕");
    say("state-word", "connection lost");
    setTone(byId("state"), "bad");
    document.title = "connection lost – Outlast";
  }
  live.lost = true;
  setTone(byId("link"), "bad");
  setOrders();
}

/** What can't be answered just now is asked again next time. */
async function get(path) {
  try {
    const answer = await fetch(path, { signal: AbortSignal.timeout(10000) });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

async function ask() {
  if (document.hidden || live.lost) return;
  const [failures, status, jobs] = await Promise.all(["failures", "status", "jobs"].map((what) => get(`/api/${what}`)));
  showFailures(await addSamples(failures));
  slow.status = status ?? slow.status;
  if (jobs) showJobs(jobs.jobs);
  if (live.snapshot) show(live.snapshot);
}

async function askHistory() {
  const history = await get("/api/history");
  if (history) chart.take(history);
}

/** Orders can be given while there is a connection. */
function setOrders() {
  for (const id of ["pause", "resume", "checkpoint"]) byId(id).disabled = live.lost;
  const none = live.lost || !slow.failures?.classes.length;
  byId("retry-all").disabled = none;
  for (const button of document.querySelectorAll("[data-class]")) button.disabled = live.lost;
}

async function post(path, body, button) {
  button.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const reply = await answer.json();
    if (!answer.ok) throw new Error(reply.error);
    return reply;
  } catch (error) {
    tell(`That did not work: ${error.message}`, "bad");
    return null;
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function tell(text, tone) {
  say("said", `${clock(Date.now() / 1000)}: ${plain(text)}`);
  setTone(byId("said"), tone);
}

async function order(body, button) {
  const reply = await post("/api/orders", body, button);
  if (reply) tell(reply.what, "good");
}

async function retry(filter, button) {
  const reply = await post("/api/retry", filter, button);
  if (!reply) return;
  const elsewhere = reply.elsewhere ? ` ${files(reply.elsewhere)} of other roots stay as they are.` : "";
  tell(`${files(reply.files)} will be tried again.${elsewhere}`, "good");
  ask();
}

byId("pause").addEventListener("click", (event) => order({ order: "pause" }, event.currentTarget));
byId("resume").addEventListener("click", (event) => order({ order: "resume" }, event.currentTarget));
byId("checkpoint").addEventListener("click", (event) => order({ order: "checkpoint" }, event.currentTarget));
byId("retry-all").addEventListener("click", (event) => retry({}, event.currentTarget));
for (const button of document.querySelectorAll("[data-range]")) {
  button.addEventListener("click", () => {
    chart.range = Number(button.dataset.range);
    for (const other of document.querySelectorAll("[data-range]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    chart.draw();
  });
}
new ResizeObserver(() => chart.draw()).observe(byId("rate"));
document.addEventListener("visibilitychange", ask);
setInterval(() => !live.lost && Date.now() - live.heard > SILENCE && lose(), 1000);
setInterval(ask, ASK);
setInterval(() => !live.lost && askHistory(), 60000);
listen();
