"use strict";
const at = (id) => document.getElementById(id);
let key = "";
const headers = (more) => (key ? { ...more, Authorization: "Bearer " + key } : more);

function addRow(table, cells) {
  const row = table.insertRow();
  cells.forEach((text, place) => {
    const cell = document.createElement(place === 0 ? "th" : "td");
    if (place === 0) cell.scope = "row";
    cell.textContent = text;
    row.append(cell);
  });
}

function show(description) {
  at("title").textContent = description.info.title;
  at("about").textContent = description.info.description + " Answered by " + description.info.version + ".";
  const row = description.components.schemas.Row;
  at("columns").replaceChildren();
  for (const [name, column] of Object.entries(row.properties)) {
    const types = column.anyOf ? column.anyOf[0].type : column.type;
    const kinds = [types].flat().slice(0, 1).filter((kind) => kind !== "null");
    addRow(at("columns"), [name, kinds.join(", "), column.description]);
  }
  at("routes").replaceChildren();
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, route] of Object.entries(methods)) addRow(at("routes"), [method.toUpperCase() + " " + path, route.summary]);
  }
  at("body").value = JSON.stringify({ rows: [row.examples[0]] }, null, 2);
  const sent = JSON.stringify({ rows: [row.examples[0]] });
  at("curl").textContent = "curl " + location.origin + "/predict \\\n  -H 'Content-Type: application/json' \\\n" +
    (key ? "  -H 'Authorization: Bearer sk_…' \\\n" : "") + "  -d '" + sent.replaceAll("'", "'\\''") + "'";
  for (const id of ["ask", "columns-part", "routes-part"]) at(id).hidden = false;
}

async function read() {
  const found = await fetch("/openapi.json", { headers: headers({}) });
  if (found.ok) {
    at("door").hidden = true;
    show(await found.json());
    return;
  }
  at("door").hidden = false;
  const problem = (await found.json()).error;
  at("about").textContent = problem.what + " " + problem.fix;
}

at("door").addEventListener("submit", (event) => {
  event.preventDefault();
  key = at("key").value.trim();
  read();
});

at("send").addEventListener("click", async () => {
  at("status").textContent = "Sent …";
  const began = performance.now();
  const found = await fetch("/predict", { method: "POST", headers: headers({ "Content-Type": "application/json" }), body: at("body").value });
  const text = await found.text();
  at("status").textContent = found.status + ", " + (performance.now() - began).toFixed(1) + " ms";
  at("answer").textContent = JSON.stringify(JSON.parse(text), null, 2);
});

read();
