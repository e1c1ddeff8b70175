// Answer rows with onnxruntime-web, the runtime of browsers, under Node:  node answer.mjs ORT.mjs TASK.json
// TASK.json: {"models": [{"model": path, "inputs": {name: {"type", "values": [text, ...]}}, "outputs": [name, ...]}]}
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [, , runtime, task] = process.argv;
const ort = await import(pathToFileURL(runtime).href);
ort.env.wasm.numThreads = 1;

function makeTensor({ type, values }) {
  const shape = [values.length, 1];
  if (type === "double") return new ort.Tensor("float64", Float64Array.from(values, Number), shape);
  if (type === "int64") return new ort.Tensor("int64", BigInt64Array.from(values, BigInt), shape);
  return new ort.Tensor("string", values, shape);
}

const answers = [];
for (const { model, inputs, outputs } of JSON.parse(readFileSync(task, "utf8")).models) {
  const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(model)));
  const feed = Object.fromEntries(Object.entries(inputs).map(([name, given]) => [name, makeTensor(given)]));
  const found = await session.run(feed, outputs);
  answers.push(Object.fromEntries(outputs.map((name) => [name, Array.from(found[name].data, String)])));
}
process.stdout.write(JSON.stringify(answers));
