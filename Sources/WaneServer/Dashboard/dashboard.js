// The service's own pages: everything shown comes from its HTTP calls, and every name is text, never markup.

const main = document.getElementById("main");
const message = document.getElementById("message");
let page = 0; // Counts pages shown: what comes late for an older one is dropped.
let timers = [];

// ---- Elements

/** An element with attributes and children; texts are texts. */
function h(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "line", "text", "g", "rect", "circle", "title"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Puts children in the place of what is there. */
function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

function table(caption, columns, rows, empty) {
  if (!rows.length) return h("p", { class: "note" }, empty);
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", {},
      h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", class: column.number ? "number" : null }, column.name)))),
      h("tbody", {}, rows.map((row) => h("tr", { "aria-selected": row.selected ? "true" : null },
        row.cells.map((cell, place) => h("td", { class: columns[place].number ? "number" : place === 0 ? "name" : null }, cell)))))));
}

// ---- Words

const units = [["y", 31557600], ["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const [unit, size] = units.find(([, size]) => seconds >= size * 0.995) ?? units[4];
  const value = seconds / size;
  return `${value >= 100 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(2))} ${unit}`;
}
const percent = (value) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`);
const number = (value, digits = 3) => (value === null || value === undefined ? "–" : value.toFixed(digits));
const count = (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en"));
const moment = (text) => (text ? `${text.slice(0, 10)} ${text.slice(11, 16)}` : "–");

function halfLife(row) {
  switch (row.half_life_bound) {
    case "below": return "shorter than the log resolves";
    case "above": return `longer than ${span(row.half_life_seconds)}`;
    case "none": return row.basis === "population" ? "–" : "does not halve";
    default: return span(row.half_life_seconds);
  }
}

// ---- Asking

class Failure extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title ?? "the service does not answer");
    this.status = problem.status;
    this.code = problem.code;
  }
}

async function ask(path, options = {}) {
  const headers = {};
  const key = sessionStorage.getItem("wane-key");
  if (key) headers["Authorization"] = `Bearer ${key}`;
  if (options.body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  } catch {
    throw new Failure({ detail: "the service does not answer; is it still running?" });
  }
  const body = await response.json().catch(() => ({}));
  if (response.status === 401) {
    document.getElementById("key").classList.add("main");
    throw new Failure({ ...body, detail: "this service asks for a key: give one with the button Key" });
  }
  if (!response.ok) throw new Failure({ status: response.status, ...body });
  return body;
}

const part = encodeURIComponent;

function say(text) { message.textContent = text; }

/** Asks in a dialog; says whether yes, or what was typed. */
function confirmed(title, text, { field = false, yes = "OK" } = {}) {
  const dialog = document.getElementById("ask");
  document.getElementById("ask-title").textContent = title;
  document.getElementById("ask-text").textContent = text;
  document.getElementById("ask-field").hidden = !field;
  document.getElementById("ask-yes").textContent = yes;
  const input = document.getElementById("ask-input");
  input.value = "";
  dialog.showModal();
  return new Promise((answer) => { answered = (isYes) => answer(isYes ? (field ? input.value.trim() : true) : null); });
}

// Answers what is asked; not by the dialog's own event, which comes later, when the next may be asked already.
let answered = null;
function answer(isYes) {
  const own = answered;
  answered = null;
  document.getElementById("ask").close();
  own?.(isYes);
}

// ---- The moment

let asOf = null; // What was chosen: a moment, or "now"; nothing by itself.
const week = 7 * 86400e3;

/** The moment that answers are of: what was chosen; of a log that ended a while ago its end, where "now" would find nobody interested. Nothing is now. */
async function chosenMoment(mine) {
  const status = await ask("/v1/status");
  const newest = status.newest_event_at ? Date.parse(status.newest_event_at) : null;
  const isOld = newest !== null && Date.now() - newest > week;
  const at = asOf === "now" ? null : asOf ?? (isOld ? status.newest_event_at : null);
  if (mine !== page) return [at, status];
  document.getElementById("moment").value = (at ?? new Date().toISOString()).slice(0, 19);
  const note = document.getElementById("stale");
  note.hidden = !(isOld && asOf === null);
  note.textContent = note.hidden ? "" : `The newest event is ${span((Date.now() - newest) / 1000)} old: answers are as of then, ${moment(at)} UTC. Choose another moment above.`;
  return [at, status];
}

/** A path's parameters with the moment among them. */
const asked = (path, at) => (at ? `${path}${path.includes("?") ? "&" : "?"}at=${part(at)}` : path);

// ---- Charts

/** Lines over a common x, from 0 to 1 in y unless said; marks are upright lines with a name beside them. */
function lineChart(title, lines, { xStart = 0, xEnd, xName, xLabels, yEnd = 1, yLabels, marks = [], ticks = [], low = false }) {
  const narrow = main.clientWidth < 560;
  const [width, height, left, right, top, bottom] = narrow ? [380, low ? 160 : 280, 56, 12, 36, 40] : [760, low ? 170 : 320, 52, 16, 36, 40];
  const x = (value) => left + ((value - xStart) / (xEnd - xStart)) * (width - left - right);
  const y = (value) => height - bottom - (value / yEnd) * (height - top - bottom);
  const svg = h("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
  for (const [value, text] of yLabels ?? [0, 0.25, 0.5, 0.75, 1].map((share) => [share * yEnd, percent(share * yEnd)])) {
    svg.append(h("line", { class: "axis", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
      h("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, text));
  }
  xLabels.forEach(([value, text], place) => svg.append(h("text", {
    x: x(value), y: height - bottom + 18,
    "text-anchor": place === 0 ? "start" : place === xLabels.length - 1 ? "end" : "middle",
  }, text)));
  svg.append(h("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, xName));
  for (const value of ticks) svg.append(h("line", { class: "mark", x1: x(value), x2: x(value), y1: y(0), y2: y(0) - 8 }));
  marks.filter((mark) => mark.x >= xStart && mark.x <= xEnd).sort((a, b) => a.x - b.x).forEach((mark, place) => {
    const end = x(mark.x) > width * 0.6;
    svg.append(h("line", { class: "mark", x1: x(mark.x), x2: x(mark.x), y1: top, y2: y(0) }),
      h("text", { x: x(mark.x) + (end ? -5 : 5), y: top - 20 + 15 * (place % 2), "text-anchor": end ? "end" : "start" }, mark.name));
  });
  for (const line of lines) {
    const path = line.points.filter((point) => point[1] !== null)
      .map((point, place) => `${place ? "L" : "M"}${x(point[0]).toFixed(1)} ${y(Math.min(yEnd, point[1])).toFixed(1)}`).join("");
    if (line.dots) line.points.forEach((point) => svg.append(h("circle", { class: `fill-${line.style}`, cx: x(point[0]), cy: y(Math.min(yEnd, point[1])), r: 4 })));
    if (!line.dots || line.joined) svg.append(h("path", { class: `curve ${line.style}`, d: path, "data-name": line.name }));
  }
  return h("figure", {}, svg, h("ul", { class: "legend" }, lines.filter((line) => line.name).map((line) => h("li", {}, h("span", { class: line.style }), line.name))),
    h("figcaption", {}, title));
}

function xTimes(start, end, now, parts = main.clientWidth < 560 ? 3 : 4) {
  return Array.from({ length: parts + 1 }, (_, place) => {
    const after = ((end - start) * place) / parts;
    return [start + after, place ? `+${span(after)}` : start < 0 ? "touch" : now];
  });
}

// ---- Pages

async function overview(mine) {
  const tiles = h("dl", { class: "tiles" });
  const live = h("div");
  const topics = h("div", {}, h("p", { class: "note" }, "Looking over all people ..."));
  const lapsing = h("div");
  fill(main, h("h1", {}, "Overview"), tiles, h("h2", {}, "Events coming in"), live,
    h("h2", {}, "Topics"), topics, h("h2", {}, "About to lapse within 7 days"), lapsing);
  const seen = [];
  const tile = (name, value) => h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value));
  async function refresh() {
    let status;
    try { status = await ask("/v1/status"); } catch (failure) {
      if (mine === page) { fill(tiles, tile("Service", failure.message)); fill(live); }
      return;
    }
    if (mine !== page) return;
    seen.push([Date.now() / 1000, status.accepted]);
    if (seen.length > 61) seen.shift();
    const rates = seen.slice(1).map(([time, accepted], place) => [time, Math.max(0, (accepted - seen[place][1]) / (time - seen[place][0]))]);
    fill(tiles, tile("Events stored", count(status.events)), tile("Waiting to be stored", count(status.queued)),
      tile("Newest event", status.newest_event_at ? `${span(Math.max(0, Date.now() - Date.parse(status.newest_event_at)) / 1000)} ago` : "–"),
      ...status.models.map((model) => tile(`Answers ${model.task}`, [model.family, " ", h("small", { class: "quiet" }, model.version)])),
      tile("Learning", !status.learns ? "off" : status.is_learning ? "a round is on its way" : "on"));
    if (rates.length > 1) {
      const first = rates[0][0], last = rates[rates.length - 1][0];
      const highest = Math.max(1, ...rates.map((rate) => rate[1]));
      fill(live, lineChart("Events accepted a second, since this page was opened",
        [{ name: "", style: "one", points: rates.map(([time, rate]) => [time - first, rate]) }],
        { xEnd: Math.max(1, last - first), xName: "", yEnd: highest, yLabels: [[0, "0"], [highest, count(Math.round(highest))]], low: true,
          xLabels: [[0, `${span(last - first)} ago`], [Math.max(1, last - first), "now"]] }));
    } else fill(live, h("p", { class: "note" }, "A picture is drawn as events are counted."));
  }
  await refresh();
  timers.push(setInterval(refresh, 2000));
  try {
    const [at] = await chosenMoment(mine);
    const [found, soon] = await Promise.all([ask(asked("/v1/topics?top=50", at)), ask(asked("/v1/users?lapsing=7d&n=50", at))]);
    if (mine !== page) return;
    fill(topics, h("p", { class: "note" }, `${count(found.people)} people as of ${moment(found.at)} UTC; interested: the chance of coming back within ${span(found.horizon_seconds)} is above the model's threshold.`),
      table("Topics", [{ name: "Topic" }, { name: "Half-life", number: true }, { name: "80 %", number: true }, { name: "Interested now", number: true }, { name: "Trend", number: true }, { name: "About to lapse", number: true }, { name: "Main cause" }],
        found.topics.map((row) => ({ cells: [row.topic, halfLife(row), row.half_life_bound === "exact" ? `${span(row.half_life_low_seconds)} to ${row.half_life_high_seconds === null ? "never" : span(row.half_life_high_seconds)}` : "–",
          count(row.interested_now), row.trend_per_period === null ? "–" : `${row.trend_per_period > 0 ? "+" : ""}${percent(row.trend_per_period)}`, count(row.lapsing), row.main_cause ?? "–"] })),
        "Nobody has met a topic yet: send events."));
    fill(lapsing, table("About to lapse", [{ name: "Person" }, { name: "Topic" }, { name: "Lapses", number: true }, { name: "Chance now", number: true }, { name: "Half-life", number: true }, { name: "Why" }],
      soon.lapsing.map((row) => ({ cells: [h("a", { href: `#/user/${part(row.user)}/${part(row.topic)}` }, row.user), row.topic, moment(row.lapse_at), percent(row.return_probability), span(row.half_life_seconds), row.main_cause ?? "–"] })),
      "Nobody's interest lapses within a week, as far as the model knows."));
    if (soon.next) lapsing.append(h("p", { class: "note" }, `The first 50 of ${count(soon.count)}.`));
  } catch (failure) {
    if (mine === page) fill(topics, h("p", { class: "note" }, failure.message));
  }
}

async function person(mine, user, topic) {
  fill(main, h("h1", {}, user), h("p", { class: "note" }, "Asking ..."));
  const [at, status] = await chosenMoment(mine);
  const found = await ask(asked(`/v1/users/${part(user)}/interests`, at));
  if (mine !== page) return;
  const isKnown = found.interests.some((row) => row.basis === "history");
  const chosen = topic ?? found.interests[0]?.topic;
  const curve = h("div"), why = h("div"), next = h("div"), when = h("div");
  fill(main, h("h1", {}, user),
    h("p", { class: "note" }, isKnown ? `As of ${moment(found.at)} UTC, by ${found.model.family} ${found.model.version}.`
      : "Nothing is stored of this person: the answers are those of people in general."),
    h("h2", {}, "How much"),
    table("Interests", [{ name: "Topic" }, { name: "Chance of coming back", number: true }, { name: "Degree", number: true }, { name: "Half-life", number: true }, { name: "80 %", number: true }, { name: "Lapses", number: true }],
      found.interests.map((row) => ({ selected: row.topic === chosen, cells: [h("a", { href: `#/user/${part(user)}/${part(row.topic)}` }, row.topic), percent(row.return_probability), number(row.degree, 2), halfLife(row),
        row.half_life_bound === "exact" ? `${span(row.half_life_low_seconds)} to ${span(row.half_life_high_seconds)}` : "–", row.lapse_at ? (row.lapse_at <= found.at ? "already" : row.lapse_bound === "above" ? "not within the log" : moment(row.lapse_at)) : row.basis === "history" ? "never" : "–"] })),
      "The model knows no topics."),
    h("div", { id: "curve" }, curve), h("div", { id: "why" }, why),
    h("div", { class: "columns" }, h("div", {}, h("h2", {}, "What next"), next), h("div", {}, h("h2", {}, "When"), when)));
  const attempt = async (place, task, work) => {
    try {
      if (!status.models.some((model) => model.task === task)) throw new Failure({ detail: `No model answers this; give one with wane serve --model (wane ${task === "ranking" ? "rank" : task} train makes it).` });
      await work();
    } catch (failure) {
      if (mine === page) fill(place, h("p", { class: "note" }, failure.message));
    }
  };
  const topicPath = chosen === undefined ? null : `/v1/users/${part(user)}/interests/${part(chosen)}`;
  await Promise.all([
    topicPath && attempt(curve, "interest", async () => {
      const drawn = await ask(asked(`${topicPath}/curve?points=160&from=touch`, at));
      if (mine !== page) return;
      const [start, end] = [drawn.points[0].elapsed_seconds, drawn.points[drawn.points.length - 1].elapsed_seconds];
      const here = Date.parse(drawn.at) / 1000, now = at ? "then" : "now";
      const last = drawn.touches.length ? Date.parse(drawn.touches[drawn.touches.length - 1]) / 1000 : null;
      const marks = start < 0 ? [{ x: 0, name: now }] : [];
      if (last !== null && drawn.interest.half_life_bound === "exact") marks.push({ x: last + drawn.interest.half_life_seconds - here, name: "half-life" });
      if (drawn.interest.lapse_at) marks.push({ x: Date.parse(drawn.interest.lapse_at) / 1000 - here, name: "lapse" });
      const line = (name, style, key) => ({ name, style, points: drawn.points.map((point) => [point.elapsed_seconds, point[key]]) });
      fill(curve, h("h2", {}, `How interest in ${chosen} goes on while nothing happens`),
        lineChart(`Interest is a share of what it was right after the last touch${last === null ? "" : `, ${span(Math.max(0, here - last))} ago`}; chance and degree are of the next horizon`,
          [line("chance of coming back", "one", "return_probability"), line("interest", "two", "interest"), line("degree", "three", "degree")],
          { xStart: start, xEnd: end, xName: start < 0 ? "time since the last touch" : `time from ${now}`, xLabels: xTimes(start, end, now), marks,
            ticks: drawn.touches.map((touch) => Date.parse(touch) / 1000 - here).filter((touch) => touch >= start) }));
    }),
    topicPath && attempt(why, "interest", async () => {
      const told = await ask(asked(`${topicPath}/explanation`, at));
      if (mine !== page) return;
      const shown = told.causes.filter((cause) => cause.is_shown);
      fill(why, h("h2", {}, "Why"),
        told.causes.length ? table("Causes", [{ name: "Cause" }, { name: "Half-life multiplied by", number: true }, { name: "80 %", number: true }, { name: "Evidence" }],
          told.causes.map((cause) => ({ cells: [cause.cause, cause.is_shown ? number(cause.multiplier, 2) : "not shown by the log", cause.is_shown ? `${number(cause.low, 2)} to ${number(cause.high, 2)}` : "–", cause.evidence ?? "–"] })), "") : null,
        told.what_if.length ? h("h2", {}, "Had things been otherwise") : null,
        told.what_if.length ? table("Had things been otherwise", [{ name: "Change" }, { name: "Half-life", number: true }, { name: "Chance of coming back", number: true }],
          told.what_if.map((row) => ({ cells: [row.change.replaceAll("_", " "), span(row.half_life_seconds), percent(row.return_probability)] })), "") : null,
        ...told.notes.map((note) => h("p", { class: "note" }, note[0].toUpperCase() + note.slice(1) + ".")));
      if (told.main_cause && shown.length) why.insertBefore(h("p", {}, `Mostly ${told.main_cause}.`), why.children[1]);
    }),
    attempt(next, "ranking", async () => {
      const listed = await ask(asked(`/v1/users/${part(user)}/recommendations?n=10`, at));
      if (mine === page) fill(next, table("What next", [{ name: "Item" }, { name: "Topics" }],
        listed.items.map((row) => ({ cells: [row.item, row.topics.join(", ")] })), "Nothing to recommend."));
    }),
    attempt(when, "return", async () => {
      const times = await ask(asked(`/v1/users/${part(user)}/returns`, at));
      if (mine === page) fill(when, table("When", [{ name: "Topic" }, { name: "Comes back in", number: true }, { name: "80 %", number: true }],
        times.returns.slice(0, 10).map((row) => ({ cells: [row.topic, row.median_seconds === null ? "not shown" : span(row.median_seconds), row.low_seconds === null ? "–" : row.high_seconds === null ? `${span(row.low_seconds)} or later` : `${span(row.low_seconds)} to ${span(row.high_seconds)}`] })), "The model knows no topics."));
    }),
  ]);
}

async function quality(mine) {
  fill(main, h("h1", {}, "Quality"), h("p", { class: "note" }, "Asking ..."));
  const { checks } = await ask("/v1/quality?n=200");
  if (mine !== page) return;
  const look = h("button", { type: "button", onclick: async () => {
    look.disabled = true;
    try { await ask("/v1/quality", { method: "POST" }); say("Looked."); show(); } catch (failure) { say(failure.message); look.disabled = false; }
  } }, "Look now");
  const head = [h("h1", {}, "Quality"), h("p", { class: "note" }, "What the model said of a while ago, with nothing known of later, beside what then happened."), look];
  if (!checks.length) return fill(main, ...head, h("p", {}, "Nobody has looked yet, or too few people have events in the newest two horizons."));
  const latest = checks[0];
  const older = checks.slice().reverse();
  const times = older.map((check) => Date.parse(check.time) / 1000);
  const length = Math.max(1, times[times.length - 1] - times[0]);
  const highest = Math.max(0.1, ...older.map((check) => Math.max(check.calibration_error, check.log_loss)));
  const level = (value) => (value < 0.1 ? "little" : value < 0.25 ? "some" : "a lot");
  fill(main, ...head,
    h("dl", { class: "tiles" }, ...[["Log loss", number(latest.log_loss)], ["Calibration error", number(latest.calibration_error)], ["Came back", percent(latest.return_rate)], ["Said on average", percent(latest.mean_probability)], ["Questions", `${count(latest.questions)} of ${count(latest.people)} people`], ["Model", [latest.family, " ", h("small", { class: "quiet" }, latest.version)]]]
      .map(([name, value]) => h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value)))),
    h("h2", {}, "Calibration"),
    lineChart(`Chances within ${span(latest.horizon_seconds)}, from ${moment(latest.from)} on: a tenth of the questions each; on the line chances are true`,
      [{ name: "what happened", style: "two", dots: true, joined: true, points: latest.bins.map((bin) => [bin.predicted, bin.observed]) }, { name: "as said", style: "one", points: [[0, 0], [1, 1]] }],
      { xEnd: 1, xName: "chance that was said", xLabels: [0, 0.25, 0.5, 0.75, 1].map((share) => [share, percent(share)]) }),
    table("Calibration", [{ name: "Said", number: true }, { name: "Happened", number: true }, { name: "Questions", number: true }], latest.bins.map((bin) => ({ cells: [percent(bin.predicted), percent(bin.observed), count(bin.count)] })), ""),
    h("h2", {}, "Over time"),
    older.length > 1 ? lineChart("Log loss and calibration error at each look; less is better",
      [["log loss", "one", "log_loss"], ["calibration error", "two", "calibration_error"]].map(([name, style, key]) => ({ name, style, points: older.map((check, place) => [times[place] - times[0], check[key]]) })),
      { xEnd: length, xName: "", yEnd: highest, yLabels: [0, highest / 2, highest].map((value) => [value, value.toFixed(2)]), xLabels: [[0, moment(older[0].time)], [length, moment(latest.time)]] })
      : h("p", { class: "note" }, "A picture is drawn from the second look on."),
    h("h2", {}, "Drift"),
    latest.drift ? h("div", {}, h("p", { class: "note" }, "How far inputs and chances lie from those the model was validated on (population stability index: below .1 little, from .25 on a lot). What grows with a log, such as how long people have been known, drifts by itself."),
      table("Drift", [{ name: "Input" }, { name: "Index", number: true }, { name: "" }], [{ feature: "chance", stability_index: latest.score_drift ?? 0 }, ...latest.drift].map((row) => ({ cells: [row.feature.replaceAll("_", " "), number(row.stability_index), level(row.stability_index)] })), ""))
      : h("p", { class: "note" }, "This model does not say how its inputs were spread; train it anew to see drift."));
}

async function models(mine) {
  fill(main, h("h1", {}, "Models"), h("p", { class: "note" }, "Asking ..."));
  const [found, learned, status] = await Promise.all([ask("/v1/models"), ask("/v1/learning?n=50"), ask("/v1/status")]);
  if (mine !== page) return;
  async function change(title, text, yes, path, done) {
    if (!(await confirmed(title, text, { yes }))) return;
    try { await ask(path, { method: "POST" }); say(done); } catch (failure) { say(failure.message); }
    show();
  }
  const tasks = [...new Set(found.models.filter((model) => model.labels.includes("previous")).map((model) => model.task))];
  fill(main, h("h1", {}, "Models"),
    h("p", { class: "note" }, "The champion answers. Promoting another version or rolling back takes effect with the next request."),
    table("Models", [{ name: "Version" }, { name: "Task" }, { name: "Family" }, { name: "Labels" }, { name: "" }], found.models.map((model) => ({ cells: [
      model.version, model.task ?? "–", model.family ?? "–",
      model.fault ? h("span", { class: "bad" }, `cannot be used: ${model.fault}`) : h("span", {}, ...model.labels.map((label) => h("span", { class: `label ${label}` }, label))),
      model.fault || model.labels.includes("champion") ? "" : h("button", { type: "button", "data-promote": model.version, onclick: () => change(`Promote ${model.version}?`, `It answers all questions of ${model.task} from then on.`, "Promote", `/v1/models/${part(model.version)}/activate`, `${model.version} answers now.`) }, "Promote"),
    ] })), "No model yet: give one with wane serve --model FOLDER."),
    h("p", {}, ...tasks.map((task) => h("button", { type: "button", "data-rollback": task, onclick: () => change(`Roll ${task} back?`, "The version that answered before answers again.", "Roll back", `/v1/models/${part(task)}/rollback`, "Rolled back.") }, `Roll ${task} back`))),
    h("h2", {}, "Learning"),
    status.learns ? h("p", {}, h("button", { type: "button", disabled: learned.is_running, onclick: async () => {
      try { await ask("/v1/learning", { method: "POST" }); say("A round has begun."); show(); } catch (failure) { say(failure.message); }
    } }, learned.is_running ? "A round is on its way" : "Learn now")) : h("p", { class: "note" }, "Off; wane serve --learn-every 1d turns it on."),
    table("Rounds of learning", [{ name: "When" }, { name: "Outcome" }, { name: "Challenger" }, { name: "Log loss, champion", number: true }, { name: "challenger", number: true }, { name: "Difference", number: true }, { name: "Why" }],
      learned.rounds.map((round) => ({ cells: [moment(round.time), h("span", { class: round.outcome === "promoted" ? "good" : round.outcome === "failed" ? "bad" : null }, round.outcome), round.challenger ?? "–",
        number(round.champion_scores?.log_loss, 4), number(round.challenger_scores?.log_loss, 4), round.difference ? `${number(round.difference.value, 4)} [${number(round.difference.low, 4)}, ${number(round.difference.high, 4)}]` : "–", round.reason] })), "No round yet."));
  if (learned.is_running) timers.push(setTimeout(() => mine === page && show(), 3000));
}

// ---- Where one is

async function show() {
  const mine = ++page;
  timers.forEach(clearInterval);
  timers = [];
  const parts = location.hash.replace(/^#\/?/, "").split("/").map((text) => { try { return decodeURIComponent(text); } catch { return text; } });
  const place = parts[0] ?? "";
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#/${place}`) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  // These two are of what was stored when, and of no moment.
  document.getElementById("as-of").hidden = ["quality", "models"].includes(place);
  document.getElementById("stale").hidden = true;
  document.title = place === "user" ? `${parts[1]} · Wane` : place ? `${place[0].toUpperCase()}${place.slice(1)} · Wane` : "Wane";
  const pages = { "": overview, quality, models, user: (mine) => person(mine, parts[1] ?? "", parts[2]) };
  try {
    if (!pages[place]) throw new Failure({ detail: "There is no such page." });
    await pages[place](mine);
  } catch (failure) {
    if (mine !== page) return;
    fill(main, h("h1", {}, "No answer"), h("p", {}, failure.message), h("p", {}, h("button", { type: "button", onclick: show }, "Try again")));
    if (!(failure instanceof Failure)) throw failure;
  }
}

document.getElementById("ask-no").addEventListener("click", () => answer(false));
document.getElementById("ask-yes").addEventListener("click", () => answer(true));
document.getElementById("ask").addEventListener("cancel", (event) => {
  event.preventDefault();
  answer(false);
});
document.getElementById("ask-input").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  answer(true);
});
const input = document.getElementById("person");
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!input.value) return;
  location.hash = `#/user/${part(input.value)}`;
  main.focus();
});
document.getElementById("as-of").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("moment").addEventListener("change", (event) => {
  // Half a moment is none: what is typed comes in parts.
  if (!event.target.value) return;
  asOf = event.target.value.length < 17 ? `${event.target.value}:00Z` : `${event.target.value}Z`;
  show();
});
document.getElementById("moment-now").addEventListener("click", () => { asOf = "now"; show(); });
let typed = 0;
input.addEventListener("input", async () => {
  const mine = ++typed;
  if (!input.value) return;
  try {
    const { users } = await ask(`/v1/users?prefix=${part(input.value)}&n=10`);
    if (mine === typed) fill(document.getElementById("people"), ...users.map((user) => h("option", { value: user })));
  } catch { /* Suggestions are a help, not an answer. */ }
});
document.getElementById("key").addEventListener("click", async () => {
  const key = await confirmed("Key", "It is held until this window is closed, and goes nowhere but to this service. Empty takes it away.", { field: true, yes: "Use" });
  if (key === null) return;
  if (key) sessionStorage.setItem("wane-key", key); else sessionStorage.removeItem("wane-key");
  show();
});
addEventListener("hashchange", () => { say(""); show(); });
show();
