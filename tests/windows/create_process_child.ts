// Runs the program in its arguments, with one more variable.
import { runProgram } from "../../ffi/create_process.ts";

Deno.env.set("PLANTED", "planted value");
const [file = "", ...args] = Deno.args;
const end = await runProgram([file, ...args], Deno.env.get("PATH"));
if (end.kind !== "ended") {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(end)));
}
Deno.exit(end.kind === "ended" ? end.status : 126);
