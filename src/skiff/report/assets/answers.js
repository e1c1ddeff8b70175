// The model's page: a form and a file drop in front of the very model.onnx that was released. Nothing is sent anywhere.
"use strict";

const LEVELS_SHOWN = 200;
const CHUNK_ROWS = 2000;
const MISSING_DATE = -(2n ** 62n);
const YES = new Set(["true", "yes", "y", "t", "1"]);
const NO = new Set(["false", "no", "n", "f", "0"]);
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

const facts = JSON.parse(document.getElementById("facts").textContent);
const say = (text, kind = "") => {
  const line = document.getElementById("status");
  line.textContent = text;
  line.className = kind;
};

function decode(id) {
  const text = atob(document.getElementById(id).textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function openModel() {
  const engine = new Blob([await inflate(decode("engine"))], { type: "text/javascript" });
  const ort = await import(URL.createObjectURL(engine));
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await inflate(decode("wasm"));
  const session = await ort.InferenceSession.create(decode("model"), { executionProviders: ["wasm"] });
  return { ort, session };
}

// ---- cells -------------------------------------------------------------------------------------------------------------

// As skiff.core.numerals: what JavaScript reads besides ("0x10", "Infinity") is no number in a table.
const NUMBER = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$/;

function toNumber(text) {
  const plain = text.trim();
  if (plain === "" || /^nan$/i.test(plain)) return NaN;
  const dotted = /^[+-]?\d+,\d+$/.test(plain) ? plain.replace(",", ".") : plain;
  const value = NUMBER.test(dotted) ? Number(dotted) : NaN;
  if (!Number.isFinite(value)) throw new Error("not a number");
  return value;
}

function toYesNo(text) {
  const word = text.trim().toLowerCase();
  if (word === "") return NaN;
  if (YES.has(word)) return 1;
  if (NO.has(word)) return 0;
  return toNumber(word);
}

function toSeconds(text) {
  const plain = text.trim();
  if (plain === "") return MISSING_DATE;
  const found = DATE.exec(plain);
  if (!found) throw new Error("not a date");
  const [, year, month, day, hour = "0", minute = "0", second = "0", zone = "Z"] = found;
  const moment = new Date(0);
  moment.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  moment.setUTCHours(Number(hour), Number(minute), Number(second));
  if (moment.getUTCDate() !== Number(day)) throw new Error("not a day");
  let seconds = BigInt(Math.round(moment.getTime() / 1000));
  if (zone !== "Z") {
    const digits = zone.replace(":", "");
    const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
    seconds -= BigInt((digits[0] === "-" ? -1 : 1) * minutes * 60);
  }
  return seconds;
}

const CONVERT = { number: toNumber, boolean: toYesNo, date: toSeconds, category: (text) => text, text: (text) => text };

// A word that stood for "no value" where the training rows came from is an empty cell.
function toCell(column, text) {
  return CONVERT[column.kind](column.missing_words.includes(text.trim()) ? "" : text);
}
const WORDS = { number: "a number", boolean: "yes or no", date: "a date such as 2026-11-30", category: "a text", text: "a text" };

function buildTensors(ort, session, rows) {
  const feeds = {};
  facts.inputs.forEach((column, place) => {
    const cells = rows.map((row) => row[place]);
    const shape = [rows.length, 1];
    const name = session.inputNames[place];
    if (column.kind === "date") feeds[name] = new ort.Tensor("int64", BigInt64Array.from(cells), shape);
    else if (column.kind === "category" || column.kind === "text") feeds[name] = new ort.Tensor("string", cells, shape);
    else feeds[name] = new ort.Tensor("float64", Float64Array.from(cells), shape);
  });
  return feeds;
}

async function answer({ ort, session }, rows) {
  const wanted = facts.outputs.filter((name) => session.outputNames.includes(name));
  const found = await session.run(buildTensors(ort, session, rows), wanted);
  return rows.map((_, place) => {
    const made = {};
    if (found.value) made.value = Number(found.value.data[place]);
    if (found.label) made.label = String(found.label.data[place]);
    if (found.probabilities) {
      const width = facts.classes.length;
      made.probabilities = Array.from(found.probabilities.data.slice(place * width, (place + 1) * width), Number);
    }
    return made;
  });
}

function chance(made) {
  if (!made.probabilities) return null;
  return facts.kind === "binary" ? made.probabilities[1] : Math.max(...made.probabilities);
}

// ---- the form ----------------------------------------------------------------------------------------------------------

function makeField(column, place) {
  const label = document.createElement("label");
  label.className = "field";
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = column.unit ? `${column.name} (${column.unit})` : column.name;
  label.append(name);
  let input;
  if (column.kind === "category" && column.levels.length <= LEVELS_SHOWN) {
    input = document.createElement("select");
    input.append(new Option("not known", ""), ...column.levels.filter((level) => level !== "").map((level) => new Option(level, level)));
  } else if (column.kind === "boolean") {
    input = document.createElement("select");
    input.append(new Option("not known", ""), new Option("yes", "1"), new Option("no", "0"));
  } else {
    input = document.createElement(column.kind === "text" ? "textarea" : "input");
    if (column.kind === "date") input.type = "date";
    if (column.kind === "number") input.inputMode = "decimal";
    if (column.kind === "category") {
      const list = document.createElement("datalist");
      list.id = `levels-${place}`;
      list.append(...column.levels.slice(0, LEVELS_SHOWN).map((level) => new Option(level)));
      input.setAttribute("list", list.id);
      label.append(list);
    }
  }
  input.id = `cell-${place}`;
  input.name = column.name;
  label.append(input);
  if (column.hint) {
    const hint = document.createElement("span");
    hint.className = "hint";
    hint.id = `hint-${place}`;
    hint.textContent = column.hint;
    input.setAttribute("aria-describedby", hint.id);
    label.append(hint);
  }
  return label;
}

function readForm() {
  const problems = [];
  const row = facts.inputs.map((column, place) => {
    const input = document.getElementById(`cell-${place}`);
    input.removeAttribute("aria-invalid");
    try {
      const cell = toCell(column, input.value);
      if (column.kind === "number" && column.low !== null && !Number.isNaN(cell) && (cell < column.low || cell > column.high)) {
        problems.push({ text: `${column.name} is outside what the model has seen (${column.hint}); its answer may be far off.`, stop: false });
      }
      return cell;
    } catch {
      input.setAttribute("aria-invalid", "true");
      problems.push({ text: `${column.name} must be ${WORDS[column.kind]}.`, stop: true });
      return null;
    }
  });
  return { row, problems };
}

// An empty cell is an answer too, but a person should know how little the model was told, before it speaks.
function tellEmpty() {
  const total = facts.inputs.length;
  const empty = facts.inputs.filter((_, place) => document.getElementById(`cell-${place}`).value.trim() === "").length;
  if (empty === 0) return "";
  if (empty === total) return "Nothing is filled in: this is the answer to a case of which nothing is known, not to yours.";
  return `${empty} of ${total} fields ${empty === 1 ? "is" : "are"} empty: the model takes them as not known.`;
}

function words(made) {
  if (facts.kind === "regression") return `${format(made.value)}${facts.unit ? ` ${facts.unit}` : ""}`;
  const share = Math.round(chance(made) * 100);
  if (facts.kind === "binary") return `${made.label}: of 100 rows like this one, about ${share} are “${facts.classes[1]}”`;
  return `${made.label} (of 100 rows like this one, about ${share})`;
}

const format = (value) => new Intl.NumberFormat("en", { maximumSignificantDigits: 6 }).format(value);

// ---- the file ----------------------------------------------------------------------------------------------------------

function splitTable(text) {
  const head = text.slice(0, 20000).split(/\r\n|\n|\r/, 1)[0];
  const count = (mark) => head.split(mark).length;
  const mark = [",", ";", "\t", "|"].reduce((best, next) => (count(next) > count(best) ? next : best));
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (quoted) {
      if (sign === '"' && text[at + 1] === '"') { cell += '"'; at += 1; }
      else if (sign === '"') quoted = false;
      else cell += sign;
    } else if (sign === '"' && cell === "") quoted = true;
    else if (sign === mark) { row.push(cell); cell = ""; }
    else if (sign === "\n" || sign === "\r") {
      if (sign === "\r" && text[at + 1] === "\n") at += 1;
      row.push(cell);
      if (row.length > 1 || row[0] !== "") rows.push(row);
      row = [];
      cell = "";
    } else cell += sign;
  }
  row.push(cell);
  if (row.length > 1 || row[0] !== "") rows.push(row);
  return rows;
}

function decodeText(bytes) {
  const marks = new Uint8Array(bytes.slice(0, 2));
  if (marks[0] === 0xff && marks[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

async function answerFile(model, file) {
  const table = splitTable(decodeText(await file.arrayBuffer()));
  if (table.length < 2) return say("The file has no rows below its first line of names.", "bad");
  const header = table[0].map((name) => name.trim());
  const places = facts.inputs.map((column) => header.indexOf(column.name));
  const lacking = facts.inputs.filter((_, place) => places[place] < 0).map((column) => column.name);
  if (lacking.length) return say(`The file lacks: ${lacking.join(", ")}. Add the column; leave its cells empty where nothing is known.`, "bad");
  const answers = [];
  let waiting = [];
  let bad = 0;
  let first = "";
  const flush = async () => {
    if (!waiting.length) return;
    const made = await answer(model, waiting.map((item) => item.row));
    waiting.forEach((item, place) => { answers[item.at] = made[place]; });
    waiting = [];
  };
  for (let at = 1; at < table.length; at += 1) {
    const row = [];
    let problem = "";
    facts.inputs.forEach((column, place) => {
      try {
        row.push(toCell(column, table[at][places[place]] ?? ""));
      } catch {
        problem = problem || `row ${at}, column ${column.name}: must be ${WORDS[column.kind]}`;
        row.push(null);
      }
    });
    if (problem) { bad += 1; first = first || problem; answers[at - 1] = null; }
    else waiting.push({ at: at - 1, row });
    if (waiting.length === CHUNK_ROWS) {
      await flush();
      say(`${at.toLocaleString("en")} of ${(table.length - 1).toLocaleString("en")} rows …`);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  await flush();
  showAnswers(table, answers);
  const told = `${(answers.length - bad).toLocaleString("en")} rows answered.`;
  say(bad ? `${told} ${bad.toLocaleString("en")} could not be: ${first}${bad > 1 ? " …" : "."}` : told, bad ? "bad" : "good");
  return undefined;
}

function columnsOf(made) {
  if (!made) return facts.kind === "regression" ? [""] : ["", ""];
  return facts.kind === "regression" ? [made.value] : [made.label, chance(made)];
}

function disarm(text) {
  return /^[\s\u00a0]*[=+\-@\t\r＝＋－＠]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
}

function showAnswers(table, answers) {
  const names = facts.kind === "regression" ? ["skiff_value"] : ["skiff_label", "skiff_probability"];
  const place = document.getElementById("answers");
  place.replaceChildren();
  const shown = document.createElement("table");
  const head = shown.createTHead().insertRow();
  ["row", ...names].forEach((name) => { const cell = document.createElement("th"); cell.scope = "col"; cell.textContent = name; head.append(cell); });
  const body = shown.createTBody();
  answers.slice(0, 20).forEach((made, at) => {
    const row = body.insertRow();
    row.insertCell().textContent = String(at + 1);
    columnsOf(made).forEach((value) => { row.insertCell().textContent = typeof value === "number" ? format(value) : value; });
  });
  const quote = (value) => { const text = disarm(String(value)); return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text; };
  const lines = [[...table[0], ...names], ...table.slice(1).map((row, at) => [...table[0].map((_, cell) => row[cell] ?? ""), ...columnsOf(answers[at])])];
  const csv = new Blob(["\ufeff", lines.map((line) => line.map(quote).join(",")).join("\r\n"), "\r\n"], { type: "text/csv" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(csv);
  link.download = "answers.csv";
  link.className = "button";
  link.textContent = "Save all answers as a table";
  place.append(link, shown);
  if (answers.length > 20) { const more = document.createElement("p"); more.className = "hint"; more.textContent = `The first 20 of ${answers.length.toLocaleString("en")} rows.`; place.append(more); }
  window.skiffAnswers = answers;
}

// ---- start -------------------------------------------------------------------------------------------------------------

(async () => {
  const form = document.getElementById("form");
  form.prepend(...facts.inputs.map(makeField));
  let model;
  try {
    model = await openModel();
  } catch (error) {
    say("This browser cannot run the model. It needs WebAssembly and streams: any Chrome, Edge, Firefox or Safari from 2023 on.", "bad");
    console.error(error);
    return;
  }
  document.querySelectorAll("button, input[type=file]").forEach((item) => { item.disabled = false; });
  say("Ready. Nothing you enter leaves this page.", "good");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { row, problems } = readForm();
    const out = document.getElementById("answer");
    const notes = document.getElementById("notes");
    notes.replaceChildren(...problems.map((problem) => { const item = document.createElement("li"); item.textContent = problem.text; return item; }));
    const empty = document.getElementById("empty");
    empty.textContent = "";
    if (problems.some((problem) => problem.stop)) { out.textContent = ""; return; }
    const [made] = await answer(model, [row]);
    empty.textContent = tellEmpty();
    out.textContent = words(made);
    window.skiffAnswer = made;
  });
  const drop = document.getElementById("drop");
  document.getElementById("file").addEventListener("change", (event) => { if (event.target.files.length) answerFile(model, event.target.files[0]); });
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); if (event.dataTransfer.files.length) answerFile(model, event.dataTransfer.files[0]); });
})();
