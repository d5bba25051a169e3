#!/usr/bin/env node
// Counts the lines of files for Outlast: a child of the protocol outlast-exec/1.
//
//     outlast run data/sample --include '*' --exec examples/exec/lines.mjs
import { createInterface } from "node:readline";
import { readFile } from "node:fs/promises";
import { Socket } from "node:net";

const engine = new Socket({ fd: Number(process.env.OUTLAST_EXEC_FD) });
const send = (message) => engine.write(JSON.stringify(message) + "\n");

/** The file's path; names that are not UTF-8 come as base64, too. */
const pathOf = (message) => (message.abs_bytes ? Buffer.from(message.abs_bytes, "base64") : message.abs);

async function work(path) {
  const content = await readFile(path);
  let lines = content.length > 0 && content.at(-1) !== 10 ? 1 : 0;
  for (const byte of content) if (byte === 10) lines += 1;
  return { lines };
}

// One file at a time: answers have to keep the order of the files.
for await (const line of createInterface({ input: engine, crlfDelay: Infinity })) {
  const message = JSON.parse(line);
  if (message.type === "hello") {
    send({ type: "ready", version: 1, identity: "lines/1", window: 16 });
  } else if (message.type === "file") {
    try {
      send({ type: "result", id: message.id, result: await work(pathOf(message)) });
    } catch (error) {
      send({ type: "error", id: message.id, class: "processor", message: String(error) });
    }
  } else if (message.type === "stop") {
    break;
  }
}
engine.end(() => engine.destroy());
