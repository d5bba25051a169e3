// Runs a Python script with the Python of Pyodide, which may be newer than the machine's:
// node pyodide.mjs SCRIPT ARGUMENT... Finds modules beside the script, and in the folders that PYTHONPATH names.
import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";

const { loadPyodide } = createRequire(process.env.NODE_PATH + "/")("pyodide");
const python = await loadPyodide();
python.mountNodeFS("/machine", "/");
const onMachine = (path) => "/machine" + resolve(path);
const script = resolve(process.argv[2]);
const folders = [dirname(script), ...(process.env.PYTHONPATH ?? "").split(":").filter(Boolean)];
python.globals.set("script", onMachine(script));
python.globals.set("folders", python.toPy(folders.map(onMachine)));
// A path of the machine, also of a file that the script makes.
const isPath = (argument) => isAbsolute(argument) && existsSync(dirname(argument));
const given = process.argv.slice(3).map((argument) => (isPath(argument) ? onMachine(argument) : argument));
python.globals.set("arguments", python.toPy(given));
python.globals.set("folder", onMachine("."));
try {
  python.runPython(`
import os, runpy, sys
sys.path[:0] = folders
sys.argv = [script, *arguments]
os.chdir(folder)
runpy.run_path(script, run_name="__main__")
`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
